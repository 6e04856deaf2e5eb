"""Words for codes of the protocol in every language, for all that this program itself writes for people."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("en", "zh-CN", "zh-TW")
"""Complete languages; the first is what unknown systems get."""


@cache
def words_of(language: str) -> dict[str, dict[str, str]]:
    """Kind of code (`order_state`, `life`) -> code -> word."""
    text = (files("server.words") / f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
