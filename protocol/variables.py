"""Variables of quick replies: `{customer}` in a text stands for what the conversation says. Pure.

Agents' clients fill them in when a reply is chosen. What the conversation does not say stays as it is written, so that
whoever sends it sees what is missing.
"""

import re
from collections.abc import Mapping

VARIABLES = ("customer", "agent", "order_id", "order_state", "shop")
"""Every variable: the customer's name, the agent's, the order and its state, the shop's name."""
_VARIABLE = re.compile(r"\{([a-z_]{1,32})\}")


def unknown(text: str) -> tuple[str, ...]:
    """What stands in braces like a variable and is none, in the order of the text."""
    return tuple(dict.fromkeys(name for name in _VARIABLE.findall(text) if name not in VARIABLES))


def missing(text: str) -> tuple[str, ...]:
    """Variables that stand in a text, each once."""
    return tuple(dict.fromkeys(name for name in _VARIABLE.findall(text) if name in VARIABLES))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known in the place of its variables; a value that is empty is not known."""
    return _VARIABLE.sub(lambda found: values.get(found[1], "") or found[0], text)
