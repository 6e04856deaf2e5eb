"""What a frame may weigh, and the two looks at its structure that a JSON parser does not take. No recursion."""

import re
from typing import Any, cast

FRAME_MAX_BYTES = 64 * 1024
"""Longest frame a client may send."""
DEPTH_MAX = 16
"""Deepest nesting of a frame, the frame itself counted as 1."""
PARTS_MAX = 1000
"""Most objects and arrays in a frame; looking through more would cost milliseconds, and no honest frame has ten."""
ID_MAX_CHARS = 64
"""Longest id of a request."""
INT_LIMIT = 2**53
"""Integers from here on are not exact in JavaScript."""
_BLANK_COLONS = (b" :", b"\t:", b"\r:", b"\n:")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:?)', re.DOTALL)


class TooManyParts(Exception):
    """More objects and arrays than `PARTS_MAX`."""


class TooDeep(Exception):
    """Nested deeper than `DEPTH_MAX`."""


def count_members(frame: dict[str, Any]) -> int:
    """Members of all objects in the frame. Goes level by level; raises `TooDeep` or `TooManyParts`."""
    depth, parts, found = 0, 0, 0
    level: list[Any] = [frame]
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise TooDeep
        parts += len(level)
        if parts > PARTS_MAX:
            raise TooManyParts
        below: list[Any] = []
        for node in level:
            values = node
            if type(node) is dict:
                found += len(cast("dict[str, Any]", node))
                values = cast("dict[str, Any]", node).values()
            for value in values:
                if type(value) is dict or type(value) is list:
                    below.append(value)  # noqa: PERF401 - a comprehension per node is slower for small nodes
        level = below
    return found


def says_twice(raw: bytes, members: int) -> bool:
    """Whether an object in the valid JSON `raw`, which was parsed into so many members, has a member twice.

    Every member is written as a string and a colon. Where colons stand only behind quotes, and no more of those than
    members, none was overwritten; other frames (a text with `":` in it, blanks before colons) are read by strings.
    """
    if raw.count(b'":') == members and not any(blank in raw for blank in _BLANK_COLONS):
        return False
    return sum(1 for colon in _STRING.findall(raw) if colon) != members
