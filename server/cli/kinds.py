"""Kinds of values on the command line, held to the limits that the HTTP routes hold them to."""

from collections.abc import Callable
from typing import Any

import typer
from pydantic import TypeAdapter, ValidationError

from server.http import fields, shop_settings


def _held_to(kind: Any) -> Callable[[str], str]:
    adapter: TypeAdapter[str] = TypeAdapter(kind)

    def check(value: str) -> str:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]["msg"]
            raise typer.BadParameter(f"{value!r}: {problem}.") from None

    return check


slug = _held_to(fields.Slug)
"""A shop's short name."""
email = _held_to(fields.Email)
"""An e-mail address."""
name = _held_to(fields.Name)
"""A name that people read."""
origin = _held_to(shop_settings.Origin)
"""Scheme, host and port, as browsers send them."""
