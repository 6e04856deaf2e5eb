"""Requests about files, and what a message may say of one (CO-04). The bytes go another way: `file_transfer`.

Who may send whom what is decided before a byte comes. A file belongs to one conversation; an internal one is for
colleagues only, and to customers it does not exist: not by its id, not in a message, not by a link.
"""

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.ids import AccountId, ShopId, new_id
from protocol.methods import files as m
from protocol.shapes import FileBody, ImageBody
from protocol.states import Life, PersonKind
from protocol.times import text_of_ms
from server.services.callers import Caller
from server.services.file_grants import FileGrants
from server.services.file_rules import FileRules
from server.services.file_types import FileKind, FileType, safe_name, type_of
from server.services.seeing import Seeing
from server.session import Session
from server.store.files import FileRow, Files, Used
from server.store.rows import ConversationRow, SenderKind

SENDER: dict[PersonKind, SenderKind] = {
    PersonKind.CUSTOMER: "customer",
    PersonKind.ACCOUNT: "agent",
    PersonKind.BOT: "bot",
}

RETRY_MS = 3_600_000
"""When a day's allowance is worth trying again: it comes back bit by bit."""
Named = ImageBody | FileBody
"""What an entry says when it names a file."""


class FileRequests:
    """`file.upload`, `file.link`; `named` for those who send messages and notes; the shop's kinds of files."""

    def __init__(self, files: Files, seeing: Seeing, grants: FileGrants, rules: FileRules) -> None:
        self._files = files
        self._seeing = seeing
        self._grants = grants
        self._rules = rules

    async def upload(self, session: Session, params: m.UploadParams) -> m.UploadResult:
        """`file.upload`: a place for a file, and a grant to send its bytes, once.

        For the customer of an open conversation; for its owner and who takes part; for who watches, internal ones only.
        Refused: NOT_FOUND, FORBIDDEN, INVALID_STATE, INVALID_PARAMS (`file_too_large`, `type_not_allowed`),
        RATE_LIMITED `too_many_files`.
        """
        row = await self._seeing.conversation(session, params.conversation_id)
        _may_send(session, row, internal=params.internal)
        name = safe_name(params.name)
        claimed = type_of(name, (await self.kinds(session.shop_id))[0])
        self._fits(session.kind, claimed, params.size_bytes)
        customer = session.kind is PersonKind.CUSTOMER
        file = FileRow(
            id=new_id(),
            shop_id=session.shop_id,
            conversation_id=row.id,
            uploader_kind=SENDER[session.kind],
            uploader_id=session.person_id,
            name=name,
            size=params.size_bytes,
            media_type=claimed.media_type,
            internal=params.internal,
            width=0,
            height=0,
            thumbnail=False,
            state="granted",
            object="",
            sha256=None,
        )
        allowance = self._rules.customer_daily if customer else self._rules.agent_daily
        outcome = await self._files.grant(file, allowance)
        if isinstance(outcome, Used):
            raise RequestError(
                ErrorCode.RATE_LIMITED,
                "too_many_files",
                f"In one conversation and day at most {allowance.count} files and {_mib(allowance.size_bytes)} are "
                f"taken; {outcome.count} files and {_mib(outcome.size_bytes)} were sent already.",
                retry_after_ms=RETRY_MS,
            )
        grant, until_ms = self._grants.make("send", file.shop_id, file.id)
        return m.UploadResult(
            file_id=file.id, url=_url(file.id, "content", grant), expires_at=text_of_ms(until_ms)
        )

    async def link(self, session: Session, params: m.LinkParams) -> m.LinkResult:
        """`file.link`: a grant to fetch a file, for its sender, and for who may see the conversation in which an entry
        names it. NOT_FOUND for everything else, an internal one asked for by a customer above all."""
        file = await self._files.get(session.shop_id, params.file_id)
        try:
            await self._seeing.conversation(session, file.conversation_id)
        except RequestError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            raise not_found("file") from None  # in the words for a file that never was
        await self._require_visible(session, file)
        grant, until_ms = self._grants.make("fetch", file.shop_id, file.id)
        return m.LinkResult(
            file_id=file.id,
            url=_url(file.id, "content", grant),
            thumbnail_url=_url(file.id, "thumbnail", grant) if file.thumbnail else None,
            name=file.name,
            media_type=file.media_type,
            size_bytes=file.size,
            expires_at=text_of_ms(until_ms),
        )

    async def named(self, session: Session, conversation_id: str, body: Named, *, internal: bool) -> Named:
        """The body of an entry that names a file, with what is known of the file in place of what the sender claims.

        `internal`: the entry is for colleagues. Refused: `not_found("file")` for what is not there, not of this
        conversation, or not the sender's to see; INVALID_PARAMS `file_is_internal`, `not_an_image`.
        """
        file = await self._files.touch(session.shop_id, body.file_id)
        if file.conversation_id != conversation_id:
            raise not_found("file")
        await self._require_visible(session, file)
        if file.internal and not internal:
            raise _bad_file("file_is_internal", "This file is for colleagues only; send it in a note.")
        if isinstance(body, FileBody):
            return FileBody(kind="file", file_id=file.id, name=file.name, size_bytes=file.size)
        if file.width == 0:
            raise _bad_file("not_an_image", "This file is not an image; send it as a file.")
        return ImageBody(
            kind="image",
            file_id=file.id,
            name=file.name,
            width=file.width,
            height=file.height,
            size_bytes=file.size,
        )

    # --- the shop's setting ------------------------------------------------------------------------------------------
    async def kinds(self, shop: ShopId) -> tuple[frozenset[FileKind], int]:
        """The kinds that the shop takes now, and the revision of its choice (0: it never chose, so all that the server
        takes)."""
        chosen = await self._files.kinds(shop)
        if chosen is None:
            return self._rules.kinds, 0
        return frozenset(FileKind(kind) for kind in chosen[0]) & self._rules.kinds, chosen[1]

    async def set_kinds(self, caller: Caller, kinds: frozenset[FileKind], *, rev: int) -> int:
        """Choose; the new revision. CONFLICT `stale_rev`; INVALID_PARAMS for what the server does not take."""
        if not kinds <= self._rules.kinds:
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "invalid_params",
                "This server does not take all of these.",
                detail=[{"field": "kinds", "problem": "has a kind that this server does not take"}],
            )
        if not await self._files.set_kinds(caller.shop_id, frozenset(kinds), rev=rev):
            raise RequestError(
                ErrorCode.CONFLICT, "stale_rev", "These settings were changed meanwhile; look at them again."
            )
        return rev + 1

    # --- judgements --------------------------------------------------------------------------------------------------
    def _fits(self, kind: PersonKind, claimed: FileType, size: int) -> None:
        most = self._rules.customer_bytes if kind is PersonKind.CUSTOMER else self._rules.agent_bytes
        if claimed.kind is FileKind.IMAGE:
            most = min(most, self._rules.image_bytes)
        if size > most:
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "file_too_large",
                f"Such a file may have at most {_mib(most)}.",
                detail=[{"field": "size_bytes", "problem": f"must be at most {most}"}],
            )

    async def _require_visible(self, session: Session, file: FileRow) -> None:
        """The sender's own, or named in an entry that the reader may see."""
        customer = session.kind is PersonKind.CUSTOMER
        if customer and file.internal:
            raise not_found("file")
        if file.uploader_id == session.person_id:
            return
        if not await self._files.named(file.shop_id, file.id, public=customer):
            raise not_found("file")


def _may_send(session: Session, row: ConversationRow, *, internal: bool) -> None:
    """FORBIDDEN or INVALID_STATE unless such a file may be put into this conversation, which the sender may see."""
    if row.state is Life.CLOSED:
        raise invalid_state("conversation_closed", "The conversation is closed; nothing can be added to it.")
    if session.kind is PersonKind.CUSTOMER:
        if internal:
            raise RequestError(ErrorCode.FORBIDDEN, "not_for_customers", "Internal files are for colleagues.")
        return
    me = AccountId(session.person_id)
    if me not in (row.following if internal else row.speaking):
        act = "put a file into this conversation" if internal else "send the customer a file"
        raise RequestError(
            ErrorCode.FORBIDDEN, "not_taking_part", f"You may not {act}: you do not take part in it."
        )
    if not internal and row.state is Life.WRAP_UP:
        raise invalid_state("conversation_ended", "The conversation was ended; reopen it to send files.")


def _bad_file(reason: str, message: str) -> RequestError:
    return RequestError(
        ErrorCode.INVALID_PARAMS, reason, message, detail=[{"field": "body.file_id", "problem": message}]
    )


def _url(file_id: str, part: str, grant: str) -> str:
    """Below the address at which the server was reached."""
    return f"/v1/files/{file_id}/{part}?grant={grant}"


def _mib(size: int) -> str:
    return f"{size / (1024 * 1024):.4g} MiB"
