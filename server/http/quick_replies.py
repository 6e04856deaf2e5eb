"""Routes of quick replies: read by everybody for whom they are, written as far as one's reach goes, as a table too."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from protocol.ids import GroupId
from server.http.fields import Closed, Id, View, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.http.problems import Refusal
from server.services.callers import Caller
from server.services.quick_replies import Limits
from server.services.quick_reply_text import draft_of
from server.store.quick_replies import ReplyRow, Shelf, Whose

router = APIRouter(prefix="/v1/quick-replies", route_class=GuardedRoute, tags=["quick replies"])

# Longer than what is kept: what is too long is said together with everything else that is wrong.
_Short = Annotated[str, StringConstraints(max_length=400)]
_Long = Annotated[str, StringConstraints(max_length=20_000)]
UuidText = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class ReplyBody(Closed):
    """A new quick reply: the shop's, a group's (`group_id`), or one's own. `folder`: a path such as
    `After-sale/Refund`. Without a shortcut it gets one, from the pinyin of the title. Variables of the text stand in
    braces, as `{customer}`."""

    whose: Whose
    group_id: UuidText | None = None
    folder: _Short = ""
    shortcut: _Short = ""
    title: _Short
    text: _Long


class ReplyChangeBody(Closed):
    """What is to change; what is absent stays. `rev`: of the quick reply that was read before."""

    rev: Annotated[int, Field(ge=0, lt=2**53)]
    folder: _Short | None = None
    shortcut: _Short | None = None
    title: _Short | None = None
    text: _Long | None = None


class TableBody(Closed):
    """A table with a heading: shortcut, title, text, folder. `dry_run`: only say what would come of it."""

    whose: Whose
    group_id: UuidText | None = None
    csv: str
    dry_run: bool = False


class ReplyView(View):
    """A quick reply. `pinyin`: of the title, syllables with a space between them; `initials`: their first letters."""

    id: str
    whose: Whose
    group_id: str | None
    folder: str
    shortcut: str
    title: str
    text: str
    pinyin: str
    initials: str
    editable: bool
    rev: int
    changed_at: str | None


class LimitsView(View):
    """Most quick replies: of the whole shop, of each group, of each account."""

    shop: int
    group: int
    own: int


class ReplyList(View):
    """Quick replies: the own first, then those of groups, then the shop's. `rev`: of all that the shop has, as in the
    event `quick_replies.changed`."""

    items: list[ReplyView]
    rev: int
    limits: LimitsView


class BroughtView(View):
    """What came of a table: new ones, replaced ones, and those that said the same already."""

    added: int
    changed: int
    same: int


@router.get("")
async def list_quick_replies(
    deps: Given,
    caller: Asking,
    purpose: Annotated[
        Literal["use", "edit"],
        Query(alias="for", description="`edit`: also those of other groups that one may change."),
    ] = "use",
) -> ReplyList:
    """All from which the caller may choose: the shop's, those of their groups, and their own."""
    library = await deps.quick_replies.library(caller, to_edit=purpose == "edit")
    limits: Limits = deps.quick_replies.limits
    return ReplyList(
        items=[_view(row, library.editable(row)) for row in library.rows],
        rev=library.rev,
        limits=LimitsView(shop=limits.shop, group=limits.group, own=limits.own),
    )


@router.post("", status_code=201)
async def create_quick_reply(deps: Given, caller: Asking, body: ReplyBody) -> ReplyView:
    """A new one. 409 `shortcut_taken`: the shortcut stands for another on the same shelf; 409
    `too_many_quick_replies`."""
    draft = draft_of(body.folder, body.shortcut, body.title, body.text)
    return _view(await deps.quick_replies.add(caller, _shelf(caller, body.whose, body.group_id), draft))


@router.patch("/{reply_id}")
async def change_quick_reply(deps: Given, caller: Asking, reply_id: Id, body: ReplyChangeBody) -> ReplyView:
    """Change one. Made from an older revision it is refused (409 `stale_rev`)."""
    return _view(
        await deps.quick_replies.change(
            caller,
            str(reply_id),
            rev=body.rev,
            folder=body.folder,
            shortcut=body.shortcut,
            title=body.title,
            text=body.text,
        )
    )


@router.delete("/{reply_id}", status_code=204)
async def delete_quick_reply(deps: Given, caller: Asking, reply_id: Id) -> None:
    """Delete one."""
    await deps.quick_replies.delete(caller, str(reply_id))


@router.get(
    "/table",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export_quick_replies(
    deps: Given, caller: Asking, whose: Whose, group_id: UuidText | None = None
) -> Response:
    """One shelf as CSV; what `POST /v1/quick-replies/table` takes."""
    table = await deps.quick_replies.table(caller, _shelf(caller, whose, group_id))
    headers = {"Content-Disposition": 'attachment; filename="quick-replies.csv"'}
    return Response(table, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/table")
async def import_quick_replies(deps: Given, caller: Asking, body: TableBody) -> BroughtView:
    """Many at once from CSV, all or none: what has a shortcut that is there replaces what stands there. Faults are
    reported by line, as `line.3.text` (422 `invalid_table`)."""
    shelf = _shelf(caller, body.whose, body.group_id)
    brought = await deps.quick_replies.bring(caller, shelf, body.csv, rehearse=body.dry_run)
    return BroughtView(added=brought.added, changed=brought.changed, same=brought.same)


def _shelf(caller: Caller, whose: Whose, group_id: str | None) -> Shelf:
    if (whose == "group") != (group_id is not None):
        raise Refusal(422, "one_shelf", "Give group_id for a group's quick replies, and only for those.")
    if whose == "own":
        return Shelf(account_id=caller.account)
    return Shelf(group_id=None if group_id is None else GroupId(group_id))


def _view(row: ReplyRow, editable: bool = True) -> ReplyView:
    return ReplyView(
        id=row.id,
        whose=row.shelf.whose,
        group_id=row.group_id,
        folder=row.folder,
        shortcut=row.shortcut,
        title=row.title,
        text=row.text,
        pinyin=row.pinyin,
        initials=row.initials,
        editable=editable,
        rev=row.rev,
        changed_at=stamp_if(row.changed_ms),
    )
