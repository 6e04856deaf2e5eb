"""Files from the terminal (CO-04): sent to the other side or to colleagues only, listed, fetched."""

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Final

from protocol.methods.files import LinkParams, LinkResult, UploadParams, UploadResult
from protocol.methods.messages import HistoryParams, HistoryResult
from protocol.shapes import FileBody, ImageBody
from server.chat import sentences
from server.chat.chat import Chat, Run
from server.chat.office import Office

LOOKED_AT: Final = 200
PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


class FileCommands:
    """The commands about files. `current` gives the conversation that they are about; None when there is none."""

    def __init__(
        self, chat: Chat, office: Office, current: Callable[[], str | None], *, colleague: bool
    ) -> None:
        self._chat = chat
        self._words = chat.words
        self._office = office
        self._current = current
        self._listed: list[ImageBody | FileBody] = []
        self.table: dict[str, Run] = {"file": self._send, "files": self._list, "get": self._get}
        if colleague:
            self.table["share"] = self._share

    async def _send(self, rest: str) -> None:
        await self._upload(rest, internal=False)

    async def _share(self, rest: str) -> None:
        await self._upload(rest, internal=True)

    async def _upload(self, rest: str, *, internal: bool) -> None:
        conversation_id = self._current()
        path, size_bytes = measured(rest)
        if size_bytes is None:
            self._chat.say("file.usage", path=rest or "-")
            return
        if conversation_id is None:
            self._chat.say("file.nowhere")
            return
        params = UploadParams(
            conversation_id=conversation_id,
            name=path.name,
            size_bytes=max(1, size_bytes),
            internal=internal,
        )
        place = await self._chat.link.ask("file.upload", params, UploadResult)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        await self._office.put(place.url, path, media_type)
        kind = "image" if media_type in PICTURES else "file"
        body = {"kind": kind, "file_id": place.file_id, "name": path.name}
        await self._chat.link.attach(conversation_id, body, internal=internal)
        self._chat.say("file.shared" if internal else "file.sent", name=path.name)

    async def _list(self, rest: str) -> None:
        conversation_id = self._current()
        if conversation_id is None:
            self._chat.say("file.nowhere")
            return
        params = HistoryParams(conversation_id=conversation_id, limit=LOOKED_AT)
        page = await self._chat.link.ask("message.history", params, HistoryResult)
        with_files = [
            (message, message.body)
            for message in page.messages
            if isinstance(message.body, ImageBody | FileBody)
        ]
        self._listed = [body for _, body in with_files]
        if not with_files:
            self._chat.say("file.none")
        for number, (message, body) in enumerate(with_files, 1):
            self._chat.say(
                "file.line",
                n=number,
                name=body.name or body.file_id,
                size=sentences.size(body.size_bytes),
                who=sentences.party(self._words, message.sender),
            )

    async def _get(self, rest: str) -> None:
        if not rest.isdecimal() or not 1 <= int(rest) <= len(self._listed):
            self._chat.say("agent.number_usage", command="/get")
            return
        params = LinkParams(file_id=self._listed[int(rest) - 1].file_id)
        link = await self._chat.link.ask("file.link", params, LinkResult)
        into = free_name(Path.cwd(), link.name)
        await self._office.fetch(link.url, into)
        self._chat.say("file.kept", path=into, size=sentences.size(link.size_bytes))


def measured(named: str) -> tuple[Path, int | None]:
    """The file that somebody names, and its size; None: it is none."""
    path = Path(named).expanduser()
    return path, path.stat().st_size if named and path.is_file() else None


def free_name(folder: Path, name: str) -> Path:
    """Where to keep a file of that name: in the folder, never outside it, and never over another file."""
    safe = Path(name.replace("\\", "/")).name.lstrip(".") or "file"
    path = folder / safe
    for number in range(2, 10_000):
        if not path.exists():
            return path
        path = folder / f"{Path(safe).stem}-{number}{Path(safe).suffix}"
    return path
