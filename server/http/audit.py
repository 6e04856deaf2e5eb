"""The route of the audit: what was done and what was refused, by whom, when and from where (GP-03, KS-23).

There is one, and it reads. Nothing over this API, or any other, changes a record; how long records are kept is not
bounded yet.
"""

import csv
import io
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from protocol.methods import METHODS
from protocol.times import text_of_ms
from server.http.fields import ONE_LINE, Cursor, Instant, Limit, View, milliseconds
from server.http.guard import Asking, Given, GuardedRoute
from server.http.rights import RIGHTS
from server.store.audit import AuditRow, Wanted
from server.store.rows import Page

router = APIRouter(prefix="/v1/audit", route_class=GuardedRoute, tags=["audit"])

COLUMNS = (
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "subject_kind",
    "subject_id",
    "outcome",
    "reason",
    "before",
    "after",
    "source",
    "id",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RecordView(View):
    """One record. `before` and `after` hold what differs, never anything secret."""

    id: str
    at: str
    actor_kind: str = Field(
        description="`account`, `bot`, `customer`, `key`, `rule`, `cli`, `system`; `unknown`: a failed sign-in."
    )
    actor_id: str
    actor_name: str = Field(description="As it was then.")
    action: str = Field(
        description="A request or a route; or `<table>.added`, `.changed`, `.removed` for what was changed by one."
    )
    right: str = Field(description="What the request or the route needs; empty when the action is neither.")
    subject_kind: str
    subject_id: str
    outcome: Literal["done", "refused"]
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None = Field(description="Of a refused try: the ids that it named.")
    source: dict[str, str] = Field(
        description="`via` (socket, http, cli, rule), `request`, `address`, `device`, `session_id`, as far as known."
    )


class RecordsView(View):
    """A page of records, the newest first."""

    records: list[RecordView]
    cursor: str | None


def right_for(action: str) -> str:
    """The right that a request or a route needs; empty: none, or the action is neither."""
    needing = METHODS.get(action) or RIGHTS.get(action)
    return "" if needing is None or needing.right is None else needing.right.value


Word = Annotated[str | None, Query(min_length=1, max_length=100, pattern=ONE_LINE)]


@router.get(
    "",
    response_model=RecordsView,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def search_audit(
    deps: Given,
    caller: Asking,
    request: Request,
    actor: Annotated[Word, Query(description="Who: an id.")] = None,
    action: Annotated[Word, Query(description="How the action begins, such as `accounts.`")] = None,
    subject_kind: Annotated[Word, Query(description="What kind of thing it was done to.")] = None,
    subject_id: Annotated[Word, Query(description="What it was done to: an id.")] = None,
    outcome: Literal["done", "refused"] | None = None,
    reason: Annotated[Word, Query(description="Why it was refused, or done.")] = None,
    at_from: Annotated[Instant | None, Query(alias="from")] = None,
    at_before: Annotated[Instant | None, Query(alias="before")] = None,
    q: Annotated[Word, Query(description="Part of a name, an id, or of what differs.")] = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Records that fit everything given, the newest first. CSV continues at the address in the header `Link`."""
    wanted = Wanted(
        actor=actor,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        outcome=outcome,
        reason=reason,
        from_ms=milliseconds(at_from),
        before_ms=milliseconds(at_before),
        text=q,
    )
    page = await deps.audit.search(caller.shop_id, wanted, cursor=cursor, limit=limit)
    if form == "json":
        view = RecordsView(records=[_view(row) for row in page.rows], cursor=page.cursor)
        return Response(view.model_dump_json(), media_type="application/json")
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    if page.cursor is not None:
        following = request.url.include_query_params(cursor=page.cursor)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return Response(as_csv(page), media_type="text/csv", headers=headers)


def as_csv(page: Page[AuditRow]) -> str:
    """For spreadsheets: a line with the names of the columns, then one for each record. What would be taken for a
    formula is marked as text."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    for row in page.rows:
        view = _view(row).model_dump()
        lines.writerow([_cell(view[column]) for column in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.startswith(_FORMULA) else text


def _view(row: AuditRow) -> RecordView:
    return RecordView(
        id=row.id,
        at=text_of_ms(row.at_ms),
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=row.action,
        right=right_for(row.action),
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        outcome="refused" if row.outcome == "refused" else "done",
        reason=row.reason,
        before=row.before,
        after=row.after,
        source=row.source,
    )
