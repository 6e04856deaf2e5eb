"""The languages of the terminal are complete, and say the same things."""

import re
import string
from pathlib import Path

import pytest

from protocol.codes import Reason
from protocol.methods import METHODS
from protocol.states import AgentStatus, Life, OrderState
from server.chat.language import LANGUAGES, load, preferred

SOURCE = Path(__file__).resolve().parents[3] / "server"


def facts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("name", LANGUAGES[1:])
def test_every_language_has_the_same_keys_and_facts(name: str) -> None:
    english, other = load("en").sentences, load(name).sentences
    assert other.keys() == english.keys()
    assert {key: facts(text) for key, text in other.items()} == {
        key: facts(text) for key, text in english.items()
    }


@pytest.mark.req("KS-22")
@pytest.mark.parametrize("name", LANGUAGES)
def test_every_code_of_the_protocol_has_a_word(name: str) -> None:
    sentences = load(name).sentences
    wanted = [f"reason.{reason}" for reason in Reason]
    wanted += [f"order_state.{state}" for state in OrderState]
    wanted += [f"status.{status}" for status in AgentStatus]
    wanted += [f"life.{life}" for life in Life]
    assert [key for key in wanted if key not in sentences] == []


def test_every_sentence_is_used_and_every_used_one_exists() -> None:
    tables = {
        *("reason", "order_state", "status", "life", "change", "event", "help", "kind", "who", "queue"),
        *("part", "why_not", "alarm", "outcome"),
    }
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for part in ("chat", "demo", "cli")
        for path in (SOURCE / part).glob("*.py")
    )
    named = set(re.findall(r"[\"'`]([a-z]+\.[a-z_]+)[\"'`]", code))
    # Steps of the demo's start are named by the step.
    named |= {f"demo.{step}" for step in re.findall(r'_did\(\s*"([a-z]+)"', code)}
    sentences = load("en").sentences
    unused = {key for key in sentences if key not in named and key.partition(".")[0] not in tables}
    assert unused == set()
    ours = {key.partition(".")[0] for key in sentences}
    protocol_names = set(METHODS)
    unknown = {key for key in named if key.partition(".")[0] in ours and key not in sentences}
    assert unknown - protocol_names == set()


def test_a_code_newer_than_the_table_is_shown_as_it_is() -> None:
    assert load("en").word("reason", "brand_new") == "brand_new"


@pytest.mark.parametrize(
    ("locale", "name"),
    [
        ("zh_CN.UTF-8", "zh-CN"),
        ("zh_TW.UTF-8", "zh-TW"),
        ("zh_HK", "zh-TW"),
        ("de_DE.UTF-8", "en"),
        ("", "en"),
    ],
)
def test_the_system_language_decides(locale: str, name: str) -> None:
    assert preferred(locale) == name
