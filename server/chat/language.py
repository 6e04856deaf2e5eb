"""The words of the terminal: one data file per language, all with the same keys and the same {facts}; beside the words
for codes that reports have too."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, cast

from server.words import LANGUAGES, words_of

__all__ = ["LANGUAGES", "Language", "load", "preferred"]


class Language:
    """Sentences by key. A missing key or fact is a bug and raises `KeyError`."""

    def __init__(self, name: str, sentences: dict[str, str]) -> None:
        self.name = name
        self.sentences = sentences

    def __call__(self, key: str, /, **facts: object) -> str:
        """The sentence `key` with its facts filled in."""
        return self.sentences[key].format(**facts)

    def word(self, kind: str, code: str) -> str:
        """The word for a code of the protocol; the code itself when it is newer than this table."""
        return self.sentences.get(f"{kind}.{code}", code)


@cache
def load(name: str) -> Language:
    """The language called `name` (one of `LANGUAGES`)."""
    if name not in LANGUAGES:
        raise ValueError(f"There is no language {name!r}; choose one of {', '.join(LANGUAGES)}.")
    text = (files("server.chat") / "languages" / f"{name}.toml").read_text(encoding="utf-8")
    return Language(name, dict(_flat({**words_of(name), **tomllib.loads(text)})))


def preferred(locale: str) -> str:
    """The language for a POSIX locale name such as `zh_TW.UTF-8`."""
    tag = locale.partition(".")[0].replace("_", "-").lower()
    if tag.startswith(("zh-tw", "zh-hk", "zh-mo", "zh-hant")):
        return "zh-TW"
    return "zh-CN" if tag.startswith("zh") else "en"


def _flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    sentences: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            sentences += _flat(cast(dict[str, Any], value), f"{prefix}{key}.")
        else:
            sentences.append((f"{prefix}{key}", str(value)))
    return sentences
