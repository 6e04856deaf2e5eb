"""Whether a text holds a word: in any case and width, as a whole word, or anywhere for scripts without spaces."""

import unicodedata
from functools import lru_cache

_WITHOUT_SPACES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1100, 0x11FF),  # Korean, in parts
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),  # repetition, closing, zero
    (0x3040, 0x318F),  # Japanese syllables, Bopomofo, Korean letters
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),  # Chinese characters
    (0x4E00, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),  # Korean syllables: particles follow the word without a space
    (0xF900, 0xFAFF),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)


def found_in(word: str, text: str) -> bool:
    """Whether `text` holds `word`."""
    needle, hay = _folded(word), _folded(text)
    if not needle:
        return False
    whole = not any(_spaceless(letter) for letter in needle)
    place = hay.find(needle)
    while place >= 0:
        if not whole or (_ends(hay, place - 1) and _ends(hay, place + len(needle))):
            return True
        place = hay.find(needle, place + 1)
    return False


@lru_cache(4096)
def _folded(text: str) -> str:
    # Full-width letters are letters; folding twice, because what one step makes the other may have to fold again.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _ends(text: str, place: int) -> bool:
    """Whether a word may end at this neighbour: the text's end, a space, a sign, or a letter of another kind."""
    if not 0 <= place < len(text):
        return True
    letter = text[place]
    return not (letter.isalnum() or letter == "_" or unicodedata.combining(letter)) or _spaceless(letter)


def _spaceless(letter: str) -> bool:
    point = ord(letter)
    return any(low <= point <= high for low, high in _WITHOUT_SPACES)
