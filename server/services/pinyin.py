"""What Chinese words are found by: their pinyin, and its initials."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MOST: Final = 200
"""Characters of a title that are looked at, and most characters of what comes of them."""
_WORDS: Final = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Keys:
    """Of `SF 发货`: `pinyin` is `sf fa huo`, `initials` is `sffh`."""

    pinyin: str
    initials: str


async def keys_of(titles: Iterable[str]) -> list[Keys]:
    """For each title. In a thread: the dictionary takes half a second to read, once per process."""
    return await asyncio.to_thread(lambda: [_keys(title) for title in titles])


def _keys(title: str) -> Keys:
    # Read when somebody first writes a quick reply: 56 MiB that most processes never need.
    from pypinyin import lazy_pinyin

    syllables: list[str] = []
    initials: list[str] = []
    # What is no Chinese comes as it is, in one piece; a syllable comes for one character, in Latin letters.
    for piece in lazy_pinyin(title[:MOST], errors=lambda other: f"\0{other}"):
        if piece.startswith("\0"):
            words = _WORDS.findall(piece.lower())
            syllables += words
            initials += words
        else:
            syllables.append(piece)
            initials.append(piece[:1])
    return Keys(" ".join(syllables)[:MOST], "".join(initials)[:MOST])
