"""How values travel between PostgreSQL and this program, on every connection.

`uuid` is text, `timestamptz` is integer milliseconds since 1970 UTC, `jsonb` is plain data by orjson; arrays have the
forms of what is in them. Text that is not a UUID in canonical form names nothing: it travels as the nil UUID, which no
row has, so that an id made up by a client is simply not found.
"""

from __future__ import annotations

import re
from typing import Any, Final

import asyncpg
import orjson

NIL: Final = "00000000-0000-0000-0000-000000000000"
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_EPOCH_2000_MS: Final = 946_684_800_000
_JSONB_VERSION: Final = b"\x01"
_ARRAYS: Final = (
    (1005, "int2", 21),
    (1016, "int8", 20),
    (1182, "date", 1082),
    (1185, "timestamptz", 1184),
    (2951, "uuid", 2950),
)
"""The arrays that statements here speak of: number, element and its number, the same in every PostgreSQL (pg_type.dat).
"""


def uuid_text(value: str) -> str:
    """The id itself, or the nil UUID when it is none."""
    return value if _UUID(value) else NIL


async def prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Teach a fresh connection these forms. No round trip, now or later: PostgreSQL's own types are known."""
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=uuid_text, decoder=str, format="text"
    )
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=_to_timestamp, decoder=_from_timestamp, format="tuple"
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
    # Else asyncpg asks for each of them, on each connection, in the middle of the first statement that has one: three
    # round trips and 7 ms of the server's.
    connection._protocol.get_settings().register_data_types(
        [_array(number, element, of) for number, element, of in _ARRAYS]
    )


def _array(number: int, element: str, of: int) -> dict[str, Any]:
    """An array type as asyncpg's own question would find it."""
    return {
        "oid": number,
        "ns": "pg_catalog",
        "name": f"_{element}",
        "kind": b"b",
        "basetype": None,
        "elemtype": of,
        "elemdelim": b",",
        "range_subtype": None,
        "attrtypoids": None,
        "attrnames": None,
    }


def _to_timestamp(ms: int) -> tuple[int]:
    return ((ms - _EPOCH_2000_MS) * 1000,)


def _from_timestamp(value: tuple[int]) -> int:
    return value[0] // 1000 + _EPOCH_2000_MS


def _to_jsonb(value: Any) -> bytes:
    return _JSONB_VERSION + orjson.dumps(value)


def _from_jsonb(value: bytes) -> Any:
    return orjson.loads(value[1:])
