"""The routes of reports with one line per conversation (GP-05): pages as JSON, and all of it as CSV or XLSX."""

from typing import Annotated, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field

from protocol.ids import AccountId, GroupId
from protocol.states import Life, OrderState
from protocol.times import ms_of_moment, text_of_ms
from server.http.fields import Cursor, Instant, Limit, View, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.http.report_words import Language, code, title
from server.http.sheets import CSV, ROWS_MAX, XLSX, Column, Form, Kind, Sheet, Value, send
from server.services.conversation_report import ConversationLine
from server.store.conversation_lines import LineRow, LinesWanted

router = APIRouter(prefix="/v1/statistics/conversations", route_class=GuardedRoute, tags=["statistics"])

Outcome = Literal["open", "answered", "unanswered", "abandoned"]
First = Annotated[Instant, Query(alias="from", description="Opened from then on.")]
Last = Annotated[Instant, Query(alias="to", description="Opened before.")]
Agent = Annotated[UUID | None, Query(description="Who has it, or had it last.")]
Group = Annotated[
    UUID | None, Query(description="In which that agent was at the closing; is, when it is open.")
]
State = Annotated[OrderState | None, Query()]
Phase = Annotated[Life | None, Query()]
Stars = Annotated[int | None, Query(ge=1, le=5)]


class ConversationLineView(View):
    """One conversation. Durations in milliseconds; null: there is none."""

    conversation_id: str
    opened_at: str
    closed_at: str | None
    state: Life
    outcome: Outcome = Field(
        description="`abandoned`: given up in the queue; `unanswered`: closed without any answer."
    )
    customer_id: str | None = Field(description="Null, as the name: for who may not read the conversation.")
    customer: str | None
    external_id: str | None
    order_id: str | None
    order_state: str
    agent_id: str | None
    agent: str
    groups: list[str]
    via_bot: bool
    queue_wait_ms: int | None
    first_answer_at: str | None
    first_response_ms: int | None
    response_mean_ms: int | None
    longest_response_ms: int | None
    duration_ms: int | None = Field(description="From opening to closing.")
    replies: int
    transfers: int
    people: int
    messages_customer: int
    messages_agent: int
    messages_bot: int
    notes: int
    rating: int | None
    rating_comment: str | None
    rating_reasons: list[str] = Field(description="Ids.")
    result_tags: list[str] = Field(description="As the shop calls them now.")
    end_reason: str | None


class ConversationLines(View):
    """One page, those opened last first."""

    timezone: str
    items: list[ConversationLineView]
    cursor: str | None


_KINDS: Final[dict[str, Kind]] = {
    "opened_at": "moment", "closed_at": "moment", "state": "text", "outcome": "text", "customer": "text",
    "external_id": "text", "order_id": "text", "order_state": "text", "agent": "text", "groups": "text",
    "via_bot": "number", "queue_wait_ms": "duration", "first_answer_at": "moment", "first_response_ms": "duration",
    "response_mean_ms": "duration", "longest_response_ms": "duration", "duration_ms": "duration",
    "replies": "number", "transfers": "number", "people": "number", "messages_customer": "number",
    "messages_agent": "number", "messages_bot": "number", "notes": "number", "rating": "number",
    "rating_reasons": "text", "rating_comment": "text", "result_tags": "text", "end_reason": "text",
    "conversation": "text", "customer_id": "text",
}  # fmt: skip
_NOT_PLAIN: Final = ("conversation", "groups", "via_bot", "result_tags", "rating_reasons")
_CODED: Final = ("state", "outcome", "order_state")


def outcome_of(row: LineRow) -> Outcome:
    """How it came out."""
    if row.abandoned:
        return "abandoned"
    if row.state != "closed":
        return "open"
    return "unanswered" if row.unanswered else "answered"


def value_of(line: ConversationLine, name: str) -> Value:
    """A cell of the table; times and durations in milliseconds."""
    row, told = line.row, line.told
    match name:
        case "conversation":
            return row.id
        case "opened_at":
            return row.opened_ms
        case "closed_at":
            return row.closed_ms
        case "outcome":
            return outcome_of(row)
        case "customer" | "external_id" | "customer_id" | "rating_comment" | "end_reason" if not told:
            return None
        case "customer":
            return row.customer_name
        case "agent":
            return row.agent_name
        case "groups":
            return "; ".join(row.groups)
        case "result_tags":
            return "; ".join(line.result_tags)
        case "rating_reasons":
            return "; ".join(reason.reason_id for reason in line.rating_reasons)
        case "via_bot":
            return int(row.via_bot)
        case "queue_wait_ms":
            return row.queue_wait
        case "first_answer_at":
            return row.first_answer_ms
        case "first_response_ms":
            return row.first_response
        case "response_mean_ms":
            return round(row.responses_took / row.responses) if row.responses else None
        case "longest_response_ms":
            return row.longest_response
        case "duration_ms":
            return None if row.closed_ms is None else max(0, row.closed_ms - row.opened_ms)
        case "replies":
            return row.responses
        case _:
            return getattr(row, name)


def _wanted(
    first: First, last: Last, agent: Agent, group: Group, order_state: State, state: Phase, rating: Stars
) -> LinesWanted:
    return LinesWanted(
        from_ms=ms_of_moment(first),
        to_ms=ms_of_moment(last),
        agent=None if agent is None else AccountId(str(agent)),
        group=None if group is None else GroupId(str(group)),
        order_state=order_state,
        state=state,
        rating=rating,
    )


@router.get("")
async def list_conversation_lines(
    deps: Given,
    caller: Asking,
    first: First,
    last: Last,
    agent: Agent = None,
    group: Group = None,
    order_state: State = None,
    state: Phase = None,
    rating: Stars = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ConversationLines:
    """Conversations with their figures, as far as the caller's reports reach."""
    wanted = _wanted(first, last, agent, group, order_state, state, rating)
    page = await deps.conversation_report.page(caller, wanted, cursor=cursor, limit=limit)
    return ConversationLines(
        timezone=page.timezone, items=[_view(line) for line in page.lines], cursor=page.cursor
    )


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {
            "content": {
                kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
                for kind in (CSV, XLSX)
            }
        }
    },
)
async def export_conversation_lines(
    deps: Given,
    caller: Asking,
    first: First,
    last: Last,
    agent: Agent = None,
    group: Group = None,
    order_state: State = None,
    state: Phase = None,
    rating: Stars = None,
    form: Annotated[Form, Query(alias="format")] = "csv",
    language: Annotated[
        Language | None,
        Query(description="For people: heads and codes in words, the shop's clock. Absent: for programs."),
    ] = None,
) -> Response:
    """All of them as a file, however many; who took what is in the audit. `Pointsman-Rows` says about how many there
    will be."""
    wanted = _wanted(first, last, agent, group, order_state, state, rating)
    export = await deps.conversation_report.export(
        caller, wanted, form=form, most=ROWS_MAX if form == "xlsx" else None
    )
    sheet = Sheet(
        "conversations",
        [_column(name, kind, form, language) for name, kind in _KINDS.items()],
        export.batches,
        None if language is None else ZoneInfo(export.timezone),
    )
    return await send(sheet, form, {"Pointsman-Rows": str(export.count)})


def _column(name: str, kind: Kind, form: Form, language: Language | None) -> Column[ConversationLine]:
    head = title(name, language, seconds=kind == "duration" and form == "csv")
    if name in _CODED:
        return Column(head, kind, lambda line: code(str(value_of(line, name)), language))
    if name == "rating_reasons" and language is not None:
        return Column(
            head,
            kind,
            lambda line: "; ".join(each.texts.get(language, each.reason_id) for each in line.rating_reasons),
        )
    return Column(head, kind, lambda line: value_of(line, name))


def _view(line: ConversationLine) -> ConversationLineView:
    row = line.row
    cells = {name: value_of(line, name) for name in _KINDS if name not in _NOT_PLAIN}
    return ConversationLineView.model_validate(
        {
            **cells,
            "conversation_id": row.id,
            "agent_id": row.agent_id,
            "groups": list(row.groups),
            "result_tags": list(line.result_tags),
            "rating_reasons": [reason.reason_id for reason in line.rating_reasons],
            "via_bot": row.via_bot,
            "opened_at": text_of_ms(row.opened_ms),
            "closed_at": stamp_if(row.closed_ms),
            "first_answer_at": stamp_if(row.first_answer_ms),
        }
    )
