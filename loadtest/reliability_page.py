"""`python -m loadtest reliability-page FOLDER`: writes docs/reliability.md from the JSON that runs left in FOLDER.

Faults that are injected have a figure and the command that repeats it; faults that tests prove name these. What FOLDER
has no run of stays as the page had it: one fault can be measured anew without a day of all the others.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from loadtest.faults import FAULTS
from loadtest.faults.table import INVARIANTS, TABLE
from loadtest.figures import told
from loadtest.machine import sentence

Document = Mapping[str, Any]
Run = TypeVar("Run")
FILES: Final = ("chaos-mixed.json", "soak.json", "races.json", "wipe.json", "proof.json")
"""As the targets of the Makefile write them."""
_RUN: Final = re.compile(r"^- ([0-9, ]+): (.+)$", re.MULTILINE)
_ROW: Final = re.compile(r"^\| ([0-9]+) \|[^|]*\|[^|]*\| ([^|]*) \|", re.MULTILINE)
"""What this page says, to be read again: which faults a run was of, and what it was; a fault's figure."""


def page(folder: Path, before: str = "") -> str:
    """The whole page, which was `before`. Raises OSError, ValueError for what cannot be read."""
    documents = {name: _read(folder / name) for name in FILES}
    loads = [_read(path) for path in sorted(folder.glob("load-*.json"))]
    parts = (part.partition("\n") for part in before.split("\n## ")[1:])
    was = {title: body.strip() for title, _, body in parts}

    def section(title: str, command: str, run: Run, rows: Callable[[Run], Iterable[str]]) -> Iterable[str]:
        """What was found of it, now or before, or how to find out."""
        yield f"## {title}"
        yield ""
        if run:
            yield from rows(run)
        else:
            yield was.get(title, f"Not run yet: `{command}`.")
        yield ""

    return "\n".join(
        [
            *HEAD,
            *_invariants(),
            *_faults(_last_of_each(folder), was.get("Faults", "")),
            *section("Mixed", "make chaos MINUTES=30", documents["chaos-mixed.json"], _mixed),
            *section("Soak (I6)", "make soak DURATION=1h", documents["soak.json"], _soak),
            *section("Load without faults", "make load", loads, _loads),
            *section("Races", "make races", documents["races.json"], _races),
            *section("Redis wiped in the middle", "make wipe", documents["wipe.json"], _wipe),
            *section("The checker is proven too", "make proof", documents["proof.json"], _proof),
        ]
    )


def _last_of_each(folder: Path) -> Mapping[int, tuple[Document, Document]]:
    """Fault -> what was found of it last, and the run: of every run in turn, or of some faults alone, there and in
    folders below."""
    runs = [_read(path) for path in folder.rglob("chaos*.json") if path.name != "chaos-mixed.json"]
    runs.sort(key=lambda run: run["at"])
    return {each["number"]: (each, run) for run in runs for each in run["faults"]}


def _read(path: Path) -> Document:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


HEAD: Final = (
    "# Reliability: what holds, and the faults that must not break it",
    "",
    "<!-- Written by `python -m loadtest reliability-page .reports`; change loadtest/reliability_page.py instead. -->",
    "",
    "    make chaos                          # every fault in turn, under load; figures against their limits",
    "    make chaos FAULTS=4 SEED=7          # one of them",
    "    make chaos MINUTES=30 SEED=7        # mixed at random for half an hour",
    "    make soak DURATION=1h               # half the measured capacity, random faults, back at the baseline",
    "",
    "Everything is real: PostgreSQL and Redis of the run's own, nodes as processes behind a balancer (HAProxy where",
    "installed), each with its own proxies to both servers, two shops side by side, people on the reference client",
    "who talk all the while. Where the harness is root, faults 6, 9 and 12 also have a node in a network namespace of",
    "its own, whose packets are really lost: figures that begin with `lost packets`, and 12 altogether. What people",
    "sent, were told and were given goes to a journal on disk; afterwards a checker that knows nothing of the server's",
    "code holds it against PostgreSQL by plain SQL, and the server's own count on live data must be 0. Random choices",
    "come from the seed that is printed. `loadtest/faults` has the faults, `loadtest/checker` the invariants.",
    "",
)


def _invariants() -> Iterable[str]:
    yield "## Invariants"
    yield ""
    for name, words in INVARIANTS.items():
        yield f"- **{name}** {words}"
    yield ""


def _faults(found: Mapping[int, tuple[Document, Document]], before: str) -> Iterable[str]:
    yield "## Faults"
    yield ""
    for numbers, words in _RUN.findall(before):
        if kept := [number for number in numbers.split(", ") if int(number) not in found]:
            yield f"- {', '.join(kept)}: {words}"
    figures = {int(number): figure for number, figure in _ROW.findall(before)}
    for run in {run["at"]: run for _, run in found.values()}.values():
        facts = run["run"]
        numbers = ", ".join(str(number) for number, (_, last) in sorted(found.items()) if last is run)
        yield (
            f"- {numbers}: {run['at'][:10]} on {sentence(run['machine'])}: {facts['nodes']} nodes"
            f"{_behind(facts)}, seed {facts['seed']}, {run['acknowledged']:,} acknowledged messages in "
            f"{facts['seconds']:,.0f} s. {_verdict(run['verdict'])}"
        )
    yield ""
    yield "| # | fault | must hold | measured | repeated by |"
    yield "|---|---|---|---|---|"
    for row in TABLE:
        measured, _ = found.get(row.number, (None, None))
        commands = [f"`make chaos FAULTS={row.number}{row.options}`"] if row.number in FAULTS else []
        commands += [f"`{row.command}`"] if row.command else []
        commands += [f"`pytest {' '.join(row.tests)}`"] if row.tests else []
        if measured is not None:
            figure = _figures(measured)
        elif row.number in FAULTS:
            figure = figures.get(row.number, "not measured")
        else:
            figure = "by tests" if row.tests else "not covered"
        yield f"| {row.number} | {row.fault} | {row.must_hold} | {figure} | {'<br>'.join(commands)} |"
    yield ""


def _behind(facts: Document) -> str:
    """Which balancer, if the run said so."""
    return f" behind {facts['balancer']}" if facts.get("balancer") else ""


def _figures(found: Document) -> str:
    figures = told(found["figures"])
    wrong = "; ".join([*found["broken"], *([found["trouble"]] if found["trouble"] else [])])
    return f"{figures}; **does not hold: {wrong}**" if wrong else f"holds: {figures}"


def _verdict(verdict: Document) -> str:
    checked = ", ".join(f"{many:,} {what}" for what, many in verdict["checked"].items())
    if verdict["holds"]:
        return f"Every invariant holds ({checked})."
    broken = ", ".join(f"{name} {times} times" for name, times in verdict["broken"].items() if times)
    return f"**Broken: {broken}** ({checked})."


def _troubles(run: Document) -> str:
    """Of mixed runs: the injections that went wrong themselves, word for word."""
    words = [f"{each['number']} ({each['trouble'].strip()})" for each in run["faults"] if each["trouble"]]
    return f" Of these, {len(words)} could not be injected or measured: {'; '.join(words)}." if words else ""


def _mixed(run: Document) -> Iterable[str]:
    facts = run["run"]
    yield (
        f"{facts['minutes_mixed']:g} minutes, seed {facts['seed']}: **{facts['faults']} faults, "
        f"{run['acknowledged']:,} acknowledged messages** ({run['messages_per_s']:,.0f}/s). "
        f"{_verdict(run['verdict'])}{_troubles(run)}"
    )
    yield ""
    yield "| # | fault | times |"
    yield "|---|---|---|"
    numbers = [each["number"] for each in run["faults"]]
    for number in sorted(set(numbers)):
        yield f"| {number} | {FAULTS[number].name} | {numbers.count(number)} |"


def _soak(run: Document) -> Iterable[str]:
    facts = run["run"]
    yield (
        f"{facts['minutes_mixed']:g} minutes at half of {run['capacity_per_s']:,.0f} messages/s, "
        f"{facts['faults']} faults, {run['acknowledged']:,} acknowledged messages. "
        f"{_verdict(run['verdict'])}{_troubles(run)}"
    )
    yield ""
    yield "| at rest afterwards, against before | |"
    yield "|---|---|"
    for name, value in run["grew"].items():
        yield f"| {name.replace('_', ' ')} | {value:+,.1f} |"
    if run["broken"]:
        yield ""
        yield f"**Does not hold: {'; '.join(run['broken'])}**"


def _loads(runs: Sequence[Document]) -> Iterable[str]:
    yield "`make load PROFILE=...`; latencies in ms, of everything that people did in it, checked like the faults."
    yield ""
    yield "| profile | customers, agents | seconds | acknowledged | a second | send p50, p99 | wait p50, p99 | |"
    yield "|---|---|---|---|---|---|---|---|"
    for run in runs:
        facts, verdict = run["run"], run["verdict"]
        rows = [run["latencies_ms"].get(what) for what in ("send to acknowledgement", "wait for an agent")]
        times = " | ".join(f"{row['p50']:,.0f}, {row['p99']:,.0f}" if row else "" for row in rows)
        broken = ", ".join(f"{name} {many} times" for name, many in verdict["broken"].items() if many)
        yield (
            f"| {run['what']} (`{facts['profile']}`) | {facts['customers']}, {facts['agents']} | "
            f"{facts['seconds']:,.0f} | {run['acknowledged']:,} | {run['messages_per_s']:,.0f} | {times} | "
            f"{'everything holds' if verdict['holds'] else f'**broken: {broken}**'} |"
        )


def _races(run: Document) -> Iterable[str]:
    yield (
        f"`make races SEEDS={run['seeds']}`: {run['seeds']:,} in {run['seconds']:,.0f} s; {len(run['wrong'])} in "
        f"which not exactly one won and the other was told. {_verdict(run['check'])}"
    )
    yield ""
    yield "| race, and who won | times |"
    yield "|---|---|"
    for what, times in sorted(run["races"].items()):
        yield f"| {what} | {times:,} |"


def _wipe(run: Document) -> Iterable[str]:
    yield (
        f"`make wipe CONVERSATIONS={run['conversations']}`: {run['conversations']:,} open conversations; owners, "
        f"loads, queues and their order, stickiness before and after differ in {len(run['differences'])} places; "
        f"{told(run['figures'])}."
    )


def _proof(run: Document) -> Iterable[str]:
    yield "`make proof`: builds that are broken on purpose are played and checked."
    yield ""
    yield "| build | must be caught by | caught | what the checker said first |"
    yield "|---|---|---|---|"
    for build in dict.fromkeys(trial["build"] for trial in run["trials"]):
        trials = [trial for trial in run["trials"] if trial["build"] == build]
        good = sum(trial["as_it_should"] for trial in trials)
        breaks = trials[0]["breaks"]
        said = next((words for trial in trials for words in trial["violations"]), "")
        found = f"{good} of {len(trials)} times" if breaks else f"nothing found {good} of {len(trials)} times"
        yield f"| {build} | {breaks} | {found} | {said} |"
