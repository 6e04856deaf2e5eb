"""What the figures were measured on: they mean nothing without it."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Processor, cores, memory, programs, and how busy the machine was with other things."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int((_first("/proc/meminfo", "MemTotal") or "0").split()[0]) / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "node": _version("node"),
        "load_before": os.getloadavg()[0],
    }


def sentence(facts: dict[str, Any]) -> str:
    """The same for people."""
    busy = f"; {facts['load_before']:.1f} other processes wanted to run" if facts["load_before"] > 0.5 else ""
    return (
        f"{facts['cores']} cores of {facts['processor']}, {facts['memory_gib']} GiB, Linux {facts['kernel']}, "
        f"Python {facts['python']}, node {facts['node'] or 'not installed'}{busy}"
    )


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _version(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        return ""
    return subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
