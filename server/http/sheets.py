"""Tables as files: CSV and XLSX, made while they are sent or in a file of their own, never whole in memory.

A table is columns and batches of rows. CSV is for every spreadsheet: UTF-8 with a byte order mark, no cell that could
be taken for a formula. XLSX has real numbers, times and durations; its strings are never formulas. Making XLSX keeps a
processor busy, so it is done in a thread, a batch at a time, and by at most `AT_ONCE` requests.
"""

import asyncio
import csv
import io
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar, cast
from zoneinfo import ZoneInfo

from fastapi import Response
from starlette.responses import FileResponse, StreamingResponse
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.times import text_of_ms

RowT = TypeVar("RowT")
Form = Literal["csv", "xlsx"]
Kind = Literal["text", "moment", "duration", "number", "share"]
"""`moment`, `duration`: milliseconds; `share`: 0 to 1."""
Value = str | int | float | bool | None

AT_ONCE: Final = 2
ROWS_MAX: Final = 1_048_575
"""What a sheet of XLSX holds, without its head."""
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMATS: Final = {"moment": "yyyy-mm-dd hh:mm:ss", "duration": "[h]:mm:ss", "share": "0.0%"}
_WIDTHS: Final = {"text": 18, "moment": 19, "duration": 11, "number": 11, "share": 9}
_DAY_MS: Final = 86_400_000
_making = asyncio.Semaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Column(Generic[RowT]):
    """One column. `title` stands at its head."""

    title: str
    kind: Kind
    of: Callable[[RowT], Value]


@dataclass(frozen=True, slots=True)
class Sheet(Generic[RowT]):
    """A table. `zone`: on whose clock moments are written; None: in UTC, as programs read them, and durations as
    milliseconds."""

    name: str
    columns: Sequence[Column[RowT]]
    batches: AsyncIterator[Sequence[RowT]]
    zone: ZoneInfo | None = None


async def send(sheet: Sheet[RowT], form: Form, headers: dict[str, str] | None = None) -> Response:
    """The table as a download. What goes wrong before the first row is refused as usual; later the connection breaks,
    so that half a file is never taken for a whole one. RATE_LIMITED `exports_under_way`."""
    if form == "csv":
        parts = _as_csv(sheet)
        first = await anext(parts)
        return StreamingResponse(
            _chain(first, parts), media_type=CSV, headers=_disposition(sheet, form, headers)
        )
    async with making():
        path = await _as_xlsx(sheet)
    return _OneUse(path, media_type=XLSX, headers=_disposition(sheet, form, headers))


@asynccontextmanager
async def making() -> AsyncGenerator[None]:
    """One of the places of those who make a file. RATE_LIMITED `exports_under_way`: none is free."""
    if _making.locked():
        raise RequestError(
            ErrorCode.RATE_LIMITED,
            "exports_under_way",
            f"{AT_ONCE} other files are being made just now; try again in a moment.",
            retry_after_ms=5000,
        )
    async with _making:
        yield


class _OneUse(FileResponse):
    """Sends a file and deletes it, however the sending ends."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.to_thread(shutil.rmtree, Path(self.path).parent)


def _disposition(sheet: Sheet[Any], form: Form, more: dict[str, str] | None) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{sheet.name}.{form}"', **(more or {})}


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


# --- CSV -------------------------------------------------------------------------------------------------------------
async def _as_csv(sheet: Sheet[RowT]) -> AsyncIterator[bytes]:
    out = io.StringIO()
    table = csv.writer(out)
    out.write("\ufeff")
    table.writerow([column.title for column in sheet.columns])
    async for batch in sheet.batches:
        for row in batch:
            table.writerow([_written(column, row, sheet.zone) for column in sheet.columns])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


def _written(column: Column[RowT], row: RowT, zone: ZoneInfo | None) -> Value:
    value = column.of(row)
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if column.kind == "moment":
        return text_of_ms(int(value)) if zone is None else _wall(int(value), zone).isoformat(" ", "seconds")
    if column.kind == "duration" and zone is not None:
        return round(value / 1000, 1)
    return value


def _wall(ms: int, zone: ZoneInfo) -> datetime:
    """What the clock showed."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)


# --- XLSX ------------------------------------------------------------------------------------------------------------
async def _as_xlsx(sheet: Sheet[RowT]) -> str:
    """The path of a finished file, in a folder of its own that is the caller's to delete."""
    folder = Path(tempfile.mkdtemp(prefix="pointsman-sheet-"))
    book = _Book(folder, sheet)
    try:
        async for batch in sheet.batches:
            await asyncio.to_thread(book.write, batch)
        await asyncio.to_thread(book.close)
    except BaseException:
        book.discard()
        shutil.rmtree(folder)
        raise
    return book.path


class _Book(Generic[RowT]):
    """One sheet; rows go to the disk as they come, into files of `folder`."""

    def __init__(self, folder: Path, sheet: Sheet[RowT]) -> None:
        self.path = str(folder / "sheet.xlsx")
        self._columns = sheet.columns
        self._zone = sheet.zone or ZoneInfo("UTC")
        self._book = Workbook(
            self.path,
            {
                "constant_memory": True,
                "tmpdir": str(folder),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        # Its types are written for itself, not for others.
        self._page: Worksheet = self._book.add_worksheet()  # pyright: ignore[reportUnknownMemberType]
        add_format = cast("Callable[[dict[str, Any]], Format]", self._book.add_format)
        head = add_format({"bold": True})
        self._formats = {kind: add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        self._page.freeze_panes(1, 0)
        for x, column in enumerate(self._columns):
            self._page.set_column(x, x, _WIDTHS[column.kind])
        for x, column in enumerate(self._columns):
            self._page.write_string(0, x, column.title, head)
        self._rows = 0

    def write(self, batch: Sequence[RowT]) -> None:
        """More rows."""
        for row in batch:
            self._rows += 1
            for x, column in enumerate(self._columns):
                self._cell(x, column, column.of(row))

    def _cell(self, x: int, column: Column[RowT], value: Value) -> None:
        y, form = self._rows, self._formats.get(column.kind)
        if value is None:
            return
        if isinstance(value, str):
            self._page.write_string(y, x, value)
        elif isinstance(value, bool):
            self._page.write_boolean(y, x, value)
        elif column.kind == "moment":
            self._page.write_datetime(y, x, _wall(int(value), self._zone), form)
        elif column.kind == "duration":
            self._page.write_number(y, x, value / _DAY_MS, form)
        else:
            self._page.write_number(y, x, value, form)

    def close(self) -> None:
        """Nothing more comes."""
        self._book.close()

    def discard(self) -> None:
        """It is not wanted any more."""
        self._page._opt_close()  # pyright: ignore[reportPrivateUsage]
