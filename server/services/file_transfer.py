"""The bytes of files, up and down (CO-04), for whoever holds a grant. Who may hold one is decided in `files`.

Up: one stream straight into the object store; on its way it is counted, hashed and its ends are kept to be looked at.
Only when all of it came, is what it claims to be, and (images) could be decoded, the file exists. Until then nobody can
name or fetch it, and what is refused is deleted.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import ShopId, new_id
from server.background import Background
from server.services.file_grants import FileGrants
from server.services.file_rules import FileRules
from server.services.file_types import HEAD_BYTES, FileKind, agrees, known_by, not_what_it_says
from server.services.thumbnails import MEDIA_TYPE, Thumbnails
from server.store.files import Busy, Facts, FileRow, Files
from server.store.objects import Objects

log = structlog.get_logger("pointsman.files")

MARGIN_S = 60
"""How much longer a place stays taken than an upload may last: decoding and writing it down come after it."""

THUMBNAIL_MAX = 1024 * 1024
"""More bytes than any picture of that size has."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes on their way down: `start` up to `stop` (not included) of `size`. `partial`: a span was asked for."""

    name: str
    media_type: str
    size: int
    start: int
    stop: int
    partial: bool
    tag: str
    """the same as long as the bytes are the same"""
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes are wanted: from `first` to `last` (included; None: to the end), or, with `first` None, the last
    `last` of them."""

    first: int | None
    last: int | None


class NotThere(Exception):
    """A span that the file does not have. `size`: what it has."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class BrokenOff(Exception):
    """Raised by a stream of bytes when whoever sent it is gone."""


class FileTransfer:
    """Takes and gives bytes."""

    def __init__(
        self,
        files: Files,
        objects: Objects,
        grants: FileGrants,
        thumbnails: Thumbnails,
        rules: FileRules,
        background: Background,
    ) -> None:
        self._files = files
        self._objects = objects
        self._grants = grants
        self._thumbnails = thumbnails
        self._rules = rules
        self._background = background
        self.under_way = 0
        """uploads that have begun"""

    # --- up ----------------------------------------------------------------------------------------------------------
    async def receive(self, grant: str, file_id: str, stream: AsyncIterator[bytes]) -> FileRow:
        """Take the bytes of a granted file. When it returns the file is there.

        `stream` raises `BrokenOff` when the sender is gone. It is read to its end only if all goes well. Refused:
        UNAUTHENTICATED (grant), NOT_FOUND, CONFLICT (`already_sent`, `under_way`), INVALID_PARAMS (`size_differs`,
        `not_what_it_says`, `too_many_pixels`), UNAVAILABLE (`storage_down`, `too_slow`, `busy`). After `size_differs`,
        UNAVAILABLE and `BrokenOff` the same grant may be used again; after the other INVALID_PARAMS the file is gone.
        """
        shop = self._grants.read(grant, "send", file_id)
        if self.under_way >= self._rules.uploads_parallel:
            raise _unavailable("busy", "Too many files are being sent to this server now; try again.")
        self.under_way += 1
        try:
            return await self._receive(shop, file_id, stream)
        finally:
            self.under_way -= 1

    async def _receive(self, shop: ShopId, file_id: str, stream: AsyncIterator[bytes]) -> FileRow:
        place = f"{shop}/{file_id}"
        taken = await self._files.receive(
            shop, file_id, object=f"{place}/{new_id()}", within_s=self._rules.upload_s + MARGIN_S
        )
        if isinstance(taken, Busy):
            raise _busy(taken)
        file = taken.file
        try:
            if taken.left:
                await self._objects.remove(taken.left)
            return await self._take(file, stream)
        except _Refused as refused:
            await self._discard(file)
            log.info("file_refused", shop=file.shop_id, file=file.id, reason=refused.error.reason)
            raise refused.error from None
        except BaseException:
            # Also when we are cancelled: it must be cleaned up all the same, and nobody waits for it.
            self._background.start(self._release(file), "release a file's place")
            raise

    async def _take(self, file: FileRow, stream: AsyncIterator[bytes]) -> FileRow:
        look = _Look(file, self._rules.upload_s)
        await self._objects.put(_content(file), look.watch(stream))
        claimed = known_by(file.media_type)
        if not agrees(claimed, look.head, look.tail, zeros=look.zeros):
            raise _Refused(not_what_it_says(file.name))
        facts = Facts(look.digest)
        if claimed.kind is FileKind.IMAGE:
            facts = await self._picture(file, facts)
        if not await self._files.stored(file, facts):
            raise _Refused(_busy(Busy("granted")))
        return await self._files.get(file.shop_id, file.id)

    async def _picture(self, file: FileRow, facts: Facts) -> Facts:
        async def load() -> bytes:
            pieces = await self._objects.read(_content(file), 0, file.size)
            return b"".join([piece async for piece in pieces])

        try:
            made = await self._thumbnails.make(file.name, file.media_type, load)
        except RequestError as error:
            if error.code is ErrorCode.INVALID_PARAMS:
                raise _Refused(error) from None
            raise
        await self._objects.put_small(_thumbnail(file), made.thumbnail)
        return Facts(facts.sha256, made.width, made.height, thumbnail=True)

    async def _release(self, file: FileRow) -> None:
        await self._objects.remove(file.object)
        await self._files.released(file)

    async def _discard(self, file: FileRow) -> None:
        """The row goes last: whatever fails on the way, the sweep still knows of it."""
        if not await self._files.condemn(file):
            await self._objects.remove(file.object)
            return
        await self.delete(file)

    # --- down --------------------------------------------------------------------------------------------------------
    async def fetch(
        self, grant: str, file_id: str, span: Span | None = None, *, only_if: str | None = None
    ) -> Fetched:
        """A file, or a span of it (None: all of it; also when `only_if` is given and is not its tag).

        Refused: UNAUTHENTICATED (grant), NOT_FOUND, UNAVAILABLE `storage_down`; `NotThere`.
        """
        file = await self._files.get(self._grants.read(grant, "fetch", file_id), file_id)
        assert file.sha256 is not None, "stored files have one"
        tag = file.sha256.hex()
        start, stop, partial = 0, file.size, False
        if span is not None and only_if in (None, tag):
            (start, stop), partial = _bounds(span, file.size), True
        pieces = await self._objects.read(_content(file), start, stop)
        return Fetched(file.name, file.media_type, file.size, start, stop, partial, tag, pieces)

    async def thumbnail(self, grant: str, file_id: str) -> tuple[str, bytes]:
        """The small picture of an image (some KiB): its media type and its bytes. Refused as `fetch`."""
        file = await self._files.get(self._grants.read(grant, "fetch", file_id), file_id)
        if not file.thumbnail:
            raise not_found("file")
        pieces = await self._objects.read(_thumbnail(file), 0, THUMBNAIL_MAX)
        return MEDIA_TYPE, b"".join([piece async for piece in pieces])

    # --- away --------------------------------------------------------------------------------------------------------
    async def delete(self, file: FileRow) -> None:
        """Delete the bytes of a condemned file, and then what is known of it. Repeating it is harmless."""
        await self._objects.remove(f"{file.shop_id}/{file.id}")
        await self._files.forget(file)

    async def sweep(self) -> int:
        """Delete what was granted and never came, and what came and was never named, after `unused_s`; how many."""
        unused = await self._files.condemn_unused(self._rules.unused_s)
        for file in unused:
            await self.delete(file)
        return len(unused)


class _Refused(Exception):
    """The bytes are not acceptable: delete them, then say so."""

    def __init__(self, error: RequestError) -> None:
        super().__init__(error.reason)
        self.error = error


class _Look:
    """What is learnt of bytes while they pass: how many, their digest, how they begin and end."""

    def __init__(self, file: FileRow, within_s: float) -> None:
        self._file = file
        self._within_s = within_s
        self._hash = hashlib.sha256()
        self._size = 0
        self._head = bytearray()
        self._tail = bytearray()
        self.zeros = False

    @property
    def head(self) -> bytes:
        return bytes(self._head)

    @property
    def tail(self) -> bytes:
        return bytes(self._tail[-HEAD_BYTES:])

    @property
    def digest(self) -> bytes:
        return self._hash.digest()

    async def watch(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same bytes. Raises RequestError as soon as there are too many, at the end when there are too few, and
        when it takes too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._within_s
        async for piece in stream:
            if loop.time() > until:
                raise _unavailable("too_slow", "It took too long; try again.")
            self._size += len(piece)
            if self._size > self._file.size:
                raise _size_differs(self._file)
            self._note(piece)
            yield piece
        if self._size != self._file.size:
            raise _size_differs(self._file)

    def _note(self, piece: bytes) -> None:
        self._hash.update(piece)
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
        self._tail += piece[-HEAD_BYTES:]
        if len(self._tail) > 2 * HEAD_BYTES:  # seldom, so that small pieces do not cost a copy each
            del self._tail[:-HEAD_BYTES]
        self.zeros = self.zeros or b"\0" in piece


def _content(file: FileRow) -> str:
    return f"{file.object}/content"


def _thumbnail(file: FileRow) -> str:
    return f"{file.object}/thumbnail"


def _bounds(span: Span, size: int) -> tuple[int, int]:
    if span.first is None:
        start, stop = max(size - (span.last or 0), 0), size
    else:
        start, stop = span.first, size if span.last is None else min(span.last + 1, size)
    if start >= stop:
        raise NotThere(size)
    return start, stop


def _busy(busy: Busy) -> RequestError:
    if busy.state == "granted":
        return RequestError(ErrorCode.CONFLICT, "under_way", "This file is being sent already.")
    return RequestError(
        ErrorCode.CONFLICT, "already_sent", "This file was sent already; ask for a new place."
    )


def _size_differs(file: FileRow) -> RequestError:
    return RequestError(
        ErrorCode.INVALID_PARAMS,
        "size_differs",
        f"Exactly {file.size} bytes were announced for {file.name}, and another number came.",
    )


def _unavailable(reason: str, message: str) -> RequestError:
    return RequestError(ErrorCode.UNAVAILABLE, reason, message, retry_after_ms=1000)
