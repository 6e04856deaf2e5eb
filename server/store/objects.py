"""The bytes of files: a folder on this machine, or an S3-compatible store (obstore). Knows keys and bytes, no files.

Streams both ways, so that no file is ever in memory as a whole. A half-written object is never seen: it appears when
its last byte is there. All work is done by obstore's own threads; the event loop only waits.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found

if TYPE_CHECKING:
    from obstore.store import S3Config  # exists for type checkers only

PART_BYTES: Final = 5 * 1024 * 1024
"""One part of an upload to S3: the least that it takes, so the least that is held (twice, for each upload)."""
STEP_BYTES: Final = 1024 * 1024
"""What is written into a folder at a time."""
PIECE_BYTES: Final = 128 * 1024
"""What is read at a time on the way down."""
TIMEOUT_S: Final = 10
"""How long S3 may be silent before a call fails; a call is repeated at most twice, within three times this long."""

log = structlog.get_logger("pointsman.objects")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where an S3-compatible store is. Without `endpoint` it is Amazon's; without `key` the machine's own rights."""

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    key: str = ""
    secret: str = ""

    @property
    def open_text(self) -> bool:
        """Whether the way there is not encrypted (settings allow that on loopback only)."""
        return self.endpoint.startswith("http://")


class Objects:
    """Objects by key. Keys are `/`-separated and made by us, never from what people say.

    Refused: UNAVAILABLE `storage_down`; `not_found("file")` for a key that is not there.
    """

    def __init__(self, place: Path | Bucket) -> None:
        self._place = place
        self._opened: ObjectStore | None = None

    def _store(self) -> ObjectStore:
        """Opened at the first use: a node that handles no files needs no place for them."""
        if self._opened is None:
            try:
                self._opened = _open(self._place)
            except (BaseError, OSError, ValueError) as error:
                raise _down(error) from error
        return self._opened

    async def put(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """Write an object from a stream, whatever its length. An exception of the stream comes out as it is, and
        then nothing was written."""
        faults: list[BaseException] = []

        async def watched() -> AsyncGenerator[bytes]:
            try:
                async for piece in pieces:
                    yield piece
            except Exception as fault:
                faults.append(fault)
                raise

        source = watched()
        try:
            await obstore.put_async(
                self._store(),
                key,
                source,
                chunk_size=STEP_BYTES if isinstance(self._place, Path) else PART_BYTES,
                max_concurrency=1,
                use_multipart=True,
            )
        except Exception as error:
            if faults:
                raise faults[0] from None
            if isinstance(error, (BaseError, OSError)):
                raise _down(error) from error
            raise
        finally:
            with suppress(RuntimeError):  # cancelled in the middle of a step: it ends by itself
                await source.aclose()

    async def put_small(self, key: str, data: bytes) -> None:
        """Write an object at once."""
        try:
            await obstore.put_async(self._store(), key, data, use_multipart=False)
        except (BaseError, OSError) as error:
            raise _down(error) from error

    async def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `stop` (not included), in pieces. Returns when the object was found, so that a
        refusal comes before the first piece. `start` < `stop`."""
        try:
            found = await obstore.get_async(self._store(), key, options={"range": (start, stop)})
        except FileNotFoundError:
            raise not_found("file") from None
        except (BaseError, OSError) as error:
            raise _down(error) from error
        stream = found.stream(PIECE_BYTES)

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in stream:
                # A piece may be larger than asked for, when the store gives it so.
                view = memoryview(bytes(piece))
                for at in range(0, len(view), PIECE_BYTES):
                    yield bytes(view[at : at + PIECE_BYTES])

        return pieces()

    async def remove(self, prefix: str) -> None:
        """Delete everything below `prefix/`, remains of broken writes included. Nothing there: nothing to do."""
        if isinstance(self._place, Path):
            await asyncio.to_thread(shutil.rmtree, self._place / prefix, ignore_errors=True)
            return
        try:
            found = obstore.list(self._store(), f"{prefix}/")  # pyright: ignore[reportUnknownMemberType] - Arrow's types
            async for batch in found:
                for each in batch:
                    await _delete(self._store(), each["path"])
        except (BaseError, OSError) as error:
            raise _down(error) from error


async def _delete(store: ObjectStore, key: str) -> None:
    try:
        await obstore.delete_async(store, key)
    except FileNotFoundError:
        return  # somebody else was faster


def _open(place: Path | Bucket) -> ObjectStore:
    if isinstance(place, Path):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(place)
    config: S3Config = {"region": place.region}
    if place.endpoint:
        config["endpoint"] = place.endpoint
    if place.key:
        config["access_key_id"], config["secret_access_key"] = place.key, place.secret
    return S3Store(
        place.name,
        prefix=place.prefix or None,
        config=config,
        client_options={
            "allow_http": place.open_text,
            "timeout": timedelta(seconds=TIMEOUT_S),
            "connect_timeout": timedelta(seconds=3),
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=3 * TIMEOUT_S)},
    )


def _down(error: Exception) -> RequestError:
    # What the store says may name buckets and folders: for the log, not for the caller.
    log.warning("storage_failed", error=str(error).partition("\n")[0])
    return RequestError(
        ErrorCode.UNAVAILABLE,
        "storage_down",
        "Files cannot be stored or read now; try again.",
        retry_after_ms=2000,
    )
