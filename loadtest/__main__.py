"""The command line: `python -m loadtest bench` (`make bench`), and `load` and `fan-out` beside it."""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loadtest import (
    bench,
    chaos,
    checker,
    fan_out,
    idle,
    load,
    proof,
    races,
    reliability_page,
    report,
    soak,
    wipe,
)
from loadtest.children import ChildFailed
from loadtest.crowd import CrowdFailed
from loadtest.faults import FAULTS
from loadtest.front_desk import Refused
from loadtest.line import LineBroken
from loadtest.people import PROFILES
from loadtest.people.party import PartyFailed
from loadtest.show import Show

T = TypeVar("T")
MOST_PEOPLE = 2_000
MOST_SECONDS = 6 * 3_600
EVERY_FAULT = tuple(sorted(FAULTS))


def main() -> None:
    """Run one command; exit code 1 when it could not be done, or when load found a broken invariant."""
    options = _parser().parse_args()
    # A full collection of all that hundreds of people remember would stop them all for seconds.
    gc.set_threshold(20_000, 50, 10_000)
    try:
        code = COMMANDS[options.command](options)
    except (ChildFailed, CrowdFailed, PartyFailed, Refused, LineBroken, bench.BenchFailed) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _bench(options: argparse.Namespace) -> int:
    report = _run(bench.run(options.only, options.rounds, _tell, options.logs))
    _say(report, options)
    return 0


def _load(options: argparse.Namespace) -> int:
    wishes = load.Wishes(
        profile=PROFILES[options.profile],
        seconds=options.duration,
        nodes=options.nodes,
        seed=options.seed,
        customers=options.customers,
        agents=options.agents,
        balancer=options.balancer,
    )
    with Show() as show:
        outcome = _run(load.run(wishes, show, options.logs))
    return _reported(outcome, f"load-{options.profile}", options)


def _chaos(options: argparse.Namespace) -> int:
    wishes = chaos.Wishes(
        faults=options.faults,
        minutes=options.minutes,
        seed=options.seed,
        nodes=options.nodes,
        customers=options.customers,
        agents=options.agents,
        balancer=options.balancer,
        sockets=options.sockets,
    )
    with Show() as show:
        outcome = _run(chaos.run(wishes, show, options.logs))
    alone = "" if options.faults == EVERY_FAULT else "".join(f"-{number}" for number in options.faults)
    return _reported(outcome, "chaos-mixed" if options.minutes else f"chaos{alone}", options)


def _soak(options: argparse.Namespace) -> int:
    wishes = chaos.Wishes(
        faults=options.faults,
        minutes=options.duration / 60,
        seed=options.seed,
        nodes=options.nodes,
        customers=options.customers,
        agents=options.agents,
        balancer=options.balancer,
    )
    with Show() as show:
        outcome = _run(soak.run(wishes, show, options.logs))
    return _reported(outcome, "soak", options)


class _Finding(Protocol):
    """What a command found."""

    def text(self) -> str: ...

    def document(self) -> dict[str, Any]: ...


def _say(found: _Finding, options: argparse.Namespace) -> None:
    """Print it, and write it down when that is wanted."""
    print(f"\n{found.text()}")
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found.document(), indent=2) + "\n")


def _reported(
    outcome: load.Outcome | chaos.Outcome | soak.Outcome, name: str, options: argparse.Namespace
) -> int:
    """Print it, write it down; the exit code."""
    print(f"\n{outcome.text()}")
    if options.report is not None:
        document = outcome.document()
        (options.report / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
        where = options.report / f"{name}.html"
        where.write_text(report.page(document), encoding="utf-8")
        print(f"report: {where}")
    return 1 if outcome.failed else 0


def _fan_out(options: argparse.Namespace) -> int:
    report = _run(fan_out.run(options.rounds, _tell, options.logs))
    _say(report, options)
    return 0


def _idle(options: argparse.Namespace) -> int:
    report = _run(idle.run(options.sockets, _tell, options.logs))
    _say(report, options)
    return 0


def _check(options: argparse.Namespace) -> int:
    verdict = _run(checker.check(options.journals, options.database))
    _say(verdict, options)
    return 0 if verdict.holds else 1


def _races(options: argparse.Namespace) -> int:
    with Progress(*PROGRESS, console=Console(stderr=True)) as bar:
        task = bar.add_task("races", total=options.seeds)
        outcome = _run(
            races.run(
                options.seeds, options.first, lambda done, _: bar.update(task, completed=done), options.logs
            )
        )
    _say(outcome, options)
    return 1 if outcome.failed else 0


PROGRESS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def _proof(options: argparse.Namespace) -> int:
    outcome = _run(proof.run(options.times, options.drop, _tell, options.logs))
    _say(outcome, options)
    return 1 if outcome.failed else 0


def _wipe(options: argparse.Namespace) -> int:
    outcome = _run(wipe.measure(options.conversations, _tell, options.logs))
    _say(outcome, options)
    return 1 if outcome.failed else 0


def _reliability_page(options: argparse.Namespace) -> int:
    before = options.page.read_text(encoding="utf-8") if options.page.exists() else ""
    options.page.write_text(reliability_page.page(options.folder, before), encoding="utf-8")
    return 0


COMMANDS = {
    "reliability-page": _reliability_page,
    "bench": _bench,
    "check": _check,
    "proof": _proof,
    "races": _races,
    "chaos": _chaos,
    "load": _load,
    "soak": _soak,
    "wipe": _wipe,
    "fan-out": _fan_out,
    "idle": _idle,
}


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtest", description="Measure Pointsman from outside.")
    commands = parser.add_subparsers(dest="command", required=True)
    measure = commands.add_parser(
        "bench", help="the goals of docs/performance.md, each as a ratio of this run"
    )
    measure.add_argument("--rounds", type=_number(1, 100), default=5, help="medians are taken over so many")
    measure.add_argument(
        "--only", type=_goals, default=frozenset(bench.GOALS), help="P1,P4: these goals alone"
    )
    play = commands.add_parser("load", help="people as a profile describes them; everything is checked")
    play.add_argument("--profile", choices=sorted(PROFILES), default="steady")
    play.add_argument("--duration", type=_seconds, default=60.0, help="90, 90s or 5m")
    faults = commands.add_parser(
        "chaos", help="faults under load, one by one or mixed; everything is checked"
    )
    faults.add_argument("--faults", type=_faults, default=EVERY_FAULT, help="1,5: these alone")
    faults.add_argument("--sockets", type=_number(10, 5_000), default=1_000, help="of fault 14")
    faults.add_argument("--minutes", type=float, default=0.0, help="mixed at random, for so long")
    long = commands.add_parser(
        "soak", help="half the capacity and random faults; nothing may have grown (I6)"
    )
    long.add_argument("--duration", type=_seconds, default=3600.0, help="1h, 90m")
    long.add_argument("--faults", type=_faults, default=EVERY_FAULT, help="these alone")
    told = commands.add_parser(
        "reliability-page", help="write docs/reliability.md from what runs left in FOLDER"
    )
    told.add_argument("folder", type=Path, metavar="FOLDER", nargs="?", default=Path(".reports"))
    told.add_argument("--page", type=Path, metavar="FILE", default=Path("docs/reliability.md"))
    for each in (play, faults, long):
        each.add_argument("--nodes", type=_number(2, 16), default=2)
        each.add_argument("--seed", type=int, default=1, help="the same seed, the same choices")
        each.add_argument(
            "--customers", type=_number(0, MOST_PEOPLE), default=0, help="instead of the profile's"
        )
        each.add_argument(
            "--agents", type=_number(0, MOST_PEOPLE), default=0, help="instead of the profile's"
        )
        each.add_argument(
            "--balancer",
            choices=("installed", "own"),
            default="installed",
            help="HAProxy, if it is installed, or the harness's own",
        )
        each.add_argument(
            "--report", type=_folder, metavar="DIR", help="write the report there, HTML and JSON"
        )
    spread = commands.add_parser(
        "fan-out",
        help="many agents in one conversation, many supervisors before one wall: cost by their number",
    )
    spread.add_argument("--rounds", type=_number(1, 100), default=5, help="medians are taken over so many")
    sitting = commands.add_parser("idle", help="what sockets cost that only sit there: memory, CPU")
    sitting.add_argument("--sockets", type=_number(10, 5_000), default=2_000, help="of one node")
    rivals = commands.add_parser("races", help="two want the same at the same time: exactly one gets it")
    rivals.add_argument("--seeds", type=_number(1, 1_000_000), default=10_000)
    rivals.add_argument("--first", type=int, default=1, help="the first seed")
    judge = commands.add_parser("check", help="hold journals of a finished run against PostgreSQL")
    judge.add_argument("journals", type=Path, nargs="+", metavar="JOURNAL")
    judge.add_argument("--database", required=True, metavar="URL")
    prove = commands.add_parser("proof", help="builds that are broken on purpose are caught by the checker")
    prove.add_argument("--times", type=_number(1, 20), default=3, help="each build so often")
    prove.add_argument(
        "--drop", type=_number(2, 1_000_000), default=10_000, help="of so many deliveries one is lost"
    )
    empty = commands.add_parser(
        "wipe", help="Redis comes back empty in the middle of open conversations; nothing may be lost"
    )
    empty.add_argument("--conversations", type=_number(200, 200_000), default=10_000)
    for each in (empty, rivals, judge, prove, measure, spread, sitting):
        each.add_argument("--json", type=Path, metavar="FILE", help="write everything found to FILE as well")
    for each in (empty, rivals, judge, prove, measure, play, faults, long, spread, sitting):
        each.add_argument("--logs", type=_folder, metavar="DIR", help="keep the servers' logs there")
    return parser


def _number(least: int, most: int) -> Any:
    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be between {least} and {most}")
        return value

    return parse


def _seconds(text: str) -> float:
    unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:], 0.0)
    value = float(text[:-1]) * unit if unit else float(text)
    if not 1 <= value <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"must be between 1 s and {MOST_SECONDS} s")
    return value


def _goals(text: str) -> frozenset[str]:
    wanted = frozenset(part.strip().upper() for part in text.split(","))
    unknown = wanted - set(bench.GOALS)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"cannot measure {', '.join(sorted(unknown))}; there are {', '.join(bench.GOALS)}"
        )
    return wanted


def _faults(text: str) -> tuple[int, ...]:
    wanted = tuple(int(part) for part in text.split(","))
    unknown = set(wanted) - set(FAULTS)
    if unknown:
        there = ", ".join(str(number) for number in FAULTS)
        raise argparse.ArgumentTypeError(f"cannot inject {sorted(unknown)}; there are {there}")
    return wanted


def _folder(text: str) -> Path:
    path = Path(text)
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main()
