"""The Lua scripts: loads `lua/`, puts shared parts before each, and checks every header against what callers pass.

A header says what a script is for, its guarantee, the shared parts it uses, KEYS, ARGV and RETURNS. It knows no Redis.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from router.engine import FILL_LIMIT

_FOLDER = Path(__file__).parent / "lua"
_FIELD = re.compile(r"^-- ([A-Z]+):[ ]?(.*)$")
_FIELDS = {"GUARANTEE", "USES", "KEYS", "ARGV", "RETURNS"}

_VERB = "now op node day "
CALLERS: dict[str, str] = {
    "claim": _VERB + "conversation rand plan takes_from",
    "assign": _VERB + "conversation agent by expected_epoch expected_load stay",
    "pull": _VERB + "conversation agent pool",
    "requeue": _VERB + "conversation pool expected_epoch by",
    "end": _VERB + "conversation wrap_up expected_epoch by",
    "reopen": _VERB + "conversation by",
    "close": _VERB + "conversation expected or_else by",
    "set_priority": _VERB + "conversation priority by",
    "fill": _VERB.strip(),
    "set_status": _VERB + "agent status",
    "set_profile": _VERB + "agent profile",
    "remove_agent": _VERB + "agent",
    "set_policy": _VERB + "policy pools",
    "connect": _VERB + "person connection at_node offline_after",
    "disconnect": _VERB + "person connection at_node",
    "expire": _VERB + "requeue_after limit",
    "reap": _VERB + "dead_node",
    "rebuild_begin": _VERB + "policy",
    "rebuild_add": _VERB + "agents conversations offline_after",
    "rebuild_end": _VERB + "pools seq",
    "confirm": "name...",
    "unconfirmed": "now older_than limit",
    "ask_agent": "agent",
    "ask_agents": "",
    "ask_conversation": "conversation",
    "ask_pools": "shown",
    "ask_waiting": "pool first limit",
    "ask_holdings": "agents conversations",
    "ask_place": "conversation",
    "ask_explain": "conversation",
    "ask_walk": "day conversation rand plan",
    "ask_snapshot": "",
}
"""What the engine passes to each script, in order; the headers must say the same."""


class ScriptError(Exception):
    """A script and its callers disagree, or its header is incomplete. Raised at start-up, names the file."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a script says about itself."""

    name: str
    purpose: str
    guarantee: str
    uses: tuple[str, ...]
    keys: str
    argv: str
    returns: str
    needs_live: bool


def read_header(name: str, text: str) -> Header:
    """Parse the header of script `name`. Raises ScriptError."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith(f"-- {name}: "):
        raise ScriptError(f"{name}.lua: the first line is `-- {name}: <purpose>`")
    fields = {match[1]: match[2].strip() for line in lines if (match := _FIELD.match(line))}
    if missing := _FIELDS - fields.keys():
        raise ScriptError(f"{name}.lua: the header lacks {', '.join(sorted(missing))}")
    return Header(
        name=name,
        purpose=lines[0].partition(": ")[2],
        guarantee=fields["GUARANTEE"],
        uses=tuple(fields["USES"].split()),
        keys=fields["KEYS"],
        argv=fields["ARGV"],
        returns=fields["RETURNS"],
        needs_live=fields.get("NEEDS", "live") == "live",
    )


def headers(folder: Path = _FOLDER) -> dict[str, Header]:
    """The headers of all scripts, by name."""
    files = sorted(path for path in folder.glob("*.lua") if not path.name.startswith("_"))
    return {path.stem: read_header(path.stem, path.read_text()) for path in files}


def load(folder: Path = _FOLDER) -> dict[str, str]:
    """Name -> complete source of every script. Raises ScriptError when headers and `CALLERS` disagree."""
    found = headers(folder)
    if found.keys() != CALLERS.keys():
        raise ScriptError(
            f"scripts without caller, or callers without script: {sorted(found.keys() ^ CALLERS.keys())}"
        )
    for name, header in found.items():
        if header.argv != CALLERS[name]:
            raise ScriptError(f"{name}.lua takes ARGV `{header.argv}`, its caller passes `{CALLERS[name]}`")
        if header.keys != "prefix":
            raise ScriptError(f"{name}.lua takes KEYS `{header.keys}`; callers pass the shop's prefix")
    return {name: _source(header, folder) for name, header in found.items()}


def _source(header: Header, folder: Path) -> str:
    parts = [f"local NEEDS_LIVE, FILL_LIMIT = {str(header.needs_live).lower()}, {FILL_LIMIT}\n"]
    parts += [(folder / f"{part}.lua").read_text() for part in (*header.uses, header.name)]
    return "".join(_bare(part) for part in parts)


def _bare(text: str) -> str:
    """Without comment lines and indentation: less to send and to keep, and the same to run."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("--"))


SOURCES: dict[str, str] = load()
"""What `RedisLink` takes as `scripts`. Made when the module is imported: a wrong header stops the start."""

ARITY: dict[str, int] = {name: len(arguments.split()) for name, arguments in CALLERS.items()}
"""How many ARGV each script takes (`confirm`: as many as there are decisions)."""
