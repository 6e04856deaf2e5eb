"""The file: YAML that people read and version, without what makes YAML dangerous.

Plain data only: no anchors (a small file could stand for a huge one), no tags, no key twice, and only `null`, `true`,
`false` and numbers are anything but text, as YAML 1.2 has it: a group may be called `no`, a time is written `09:00`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml

DEEPEST: Final = 24
"""levels; a configuration has less than half of them"""
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,9})?")
_WORDS: Final[Mapping[str, Any]] = {
    "": None, "~": None, "null": None, "true": True, "false": False,
}  # fmt: skip
_PARSER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place: dotted, as `routing.mode`; empty: the file as a whole. Lines count from 1; 0: none."""

    place: str
    problem: str
    line: int = 0


@dataclass(slots=True)
class Read:
    """What stands in a file, where, and what is wrong with it as YAML."""

    data: Any = None
    lines: dict[str, int] = field(default_factory=dict[str, int])
    faults: list[Fault] = field(default_factory=list[Fault])

    def at(self, place: str) -> int:
        """The line of a place, or of the nearest around it."""
        while place and place not in self.lines:
            place = place.rpartition(".")[0]
        return self.lines.get(place, 0)


@dataclass(slots=True)
class _Open:
    """A mapping or a list that is being read."""

    place: str
    into: Any
    named: bool
    """a mapping"""
    key: str | None = None

    def next_place(self) -> str:
        inner = self.key if self.named else str(len(self.into))
        return f"{self.place}.{inner}" if self.place else str(inner)


def read(text: str) -> Read:
    """The data of a file. Never raises; what cannot be read is a fault with its line."""
    found = Read()
    try:
        _compose(text, found)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        found.faults.append(Fault("", f"this is no YAML: {error.problem or 'it cannot be read'}", line))
    except yaml.YAMLError:
        found.faults.append(Fault("", "this is no YAML: it has characters that a text cannot have"))
    return found


def _compose(text: str, found: Read) -> None:
    left: list[_Open] = []
    for event in cast("Iterable[Any]", yaml.parse(text, Loader=_PARSER)):  # pyright: ignore[reportUnknownMemberType]
        line: int = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent) and found.lines:
            found.faults.append(Fault("", "this is more than one document", line))
            return
        if isinstance(event, yaml.AliasEvent):
            found.faults.append(Fault(_place(left), "anchors are not understood here; write it out", line))
            return
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            left.pop()
            continue
        if not isinstance(event, yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent):
            continue
        if isinstance(event, yaml.ScalarEvent):
            value: Any = event.value
            if left and left[-1].named and left[-1].key is None:
                _key(left[-1], value, line, found)
                continue
            if event.implicit[0]:
                value = _plain(value)
        else:
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
            if left and left[-1].named and left[-1].key is None:
                found.faults.append(Fault(_place(left), "a key must be a word", line))
                return
        if event.tag is not None and not _known(event):
            found.faults.append(Fault(_place(left), f"the tag {event.tag} is not understood here", line))
            return
        place = _put(left, value, line, found)
        if not isinstance(event, yaml.ScalarEvent):
            if len(left) >= DEEPEST:
                found.faults.append(Fault(place, f"more than {DEEPEST} levels deep", line))
                return
            left.append(_Open(place, value, isinstance(event, yaml.MappingStartEvent)))


def _known(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.tag == "!"


def _place(left: list[_Open]) -> str:
    return left[-1].place if left else ""


def _key(inside: _Open, key: str, line: int, found: Read) -> None:
    inside.key = key
    if key in inside.into:
        found.faults.append(Fault(inside.next_place(), "is there twice", line))


def _put(left: list[_Open], value: Any, line: int, found: Read) -> str:
    if not left:
        found.data = value
        found.lines[""] = line
        return ""
    inside = left[-1]
    place = inside.next_place()
    found.lines[place] = line
    if inside.named:
        inside.into[inside.key] = value
        inside.key = None
    else:
        inside.into.append(value)
    return place


def _plain(word: str) -> Any:
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word):
        return float(word) if "." in word else int(word)
    return word


def written(document: Mapping[str, Any], comments: Mapping[str, str]) -> str:
    """The file of a document: its sections in their order, each after its comment, with an empty line between."""
    parts = [
        "".join(f"# {line}\n" for line in comments.get(name, "").splitlines()) + _dumped({name: section})
        for name, section in document.items()
    ]
    return "\n".join(parts)


def _dumped(part: Mapping[str, Any]) -> str:
    return yaml.dump(part, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


class _Dumper(_DUMPER):
    """Texts of several lines stand as they are written."""

    def ignore_aliases(self, data: Any) -> bool:
        """Everything is written out."""
        return True


def _text(dumper: Any, value: str) -> Any:
    style = "|" if "\n" in value and not any(line.endswith(" ") for line in value.split("\n")) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
