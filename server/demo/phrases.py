"""What is said in the demo, in the language of its board."""

import random
import tomllib
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class Phrases(BaseModel):
    """One language's texts. The n-th answer of a topic belongs to its n-th question."""

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]
    greetings: tuple[str, ...]
    more: tuple[str, ...]
    more_answers: tuple[str, ...]
    thanks: tuple[str, ...]
    goodbye: tuple[str, ...]
    transfer: tuple[str, ...]
    comments: tuple[str, ...]
    questions: dict[str, tuple[str, ...]]
    answers: dict[str, tuple[str, ...]]

    def question(self, order_state: str) -> str:
        """A greeting and a question of that order state."""
        greeting = random.choice(self.greetings)
        return greeting + " " * greeting.isascii() + random.choice(self.questions[order_state])

    def answer(self, text: str) -> str:
        """The fitting answer to what a customer wrote; to what is not in the tables, one that fits most."""
        for state, questions in self.questions.items():
            for number, question in enumerate(questions):
                if question in text:
                    return self.answers[state][number]
        for number, question in enumerate(self.more):
            if question in text:
                return self.more_answers[number]
        return self.more_answers[2]

    def is_thanks(self, text: str) -> bool:
        """Whether the customer has said that this was all."""
        return text in self.thanks


def load(language: str) -> Phrases:
    """The texts that go with a language of the board."""
    tables = tomllib.loads((files("server.demo") / "phrases.toml").read_text(encoding="utf-8"))
    return Phrases.model_validate(tables["zh" if language.startswith("zh") else "en"])
