"""Times on the wire: RFC 3339, UTC, milliseconds, as in `2026-11-22T08:00:00.000Z`. Knows no clock.

Milliseconds since the Unix epoch as integers inside, text outside; whole milliseconds survive the round trip exactly.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@lru_cache(maxsize=64)
def _to_the_second(seconds: int) -> str:
    return _text(_EPOCH + timedelta(seconds=seconds))[:20]


def text_of_ms(ms: int) -> str:
    """Milliseconds since the epoch as text. OverflowError outside the years 1 to 9999."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}{rest:03d}Z"


def text_of(moment: datetime) -> str:
    """An aware moment as text, cut down to milliseconds. ValueError for a naive one: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError("a moment on the wire needs a time zone")
    return _text(moment.astimezone(UTC))


def ms_of(text: str) -> int:
    """Text as milliseconds since the epoch. ValueError for anything but this module's form."""
    return (moment_of(text) - _EPOCH) // _MS


def moment_of(text: str) -> datetime:
    """Text as an aware moment in UTC. ValueError for anything but this module's form."""
    if len(text) != 24 or text[10] != "T" or text[19] != "." or text[23] != "Z" or not text.isascii():
        raise ValueError("times on the wire look like 2026-11-22T08:00:00.000Z")
    return datetime.fromisoformat(text)


def ms_of_moment(moment: datetime) -> int:
    """An aware moment as milliseconds since the epoch, cut down. ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment on the wire needs a time zone")
    return (moment - _EPOCH) // _MS


def moment_of_ms(ms: int) -> datetime:
    """Milliseconds since the epoch as an aware moment in UTC. OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(milliseconds=ms)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"
