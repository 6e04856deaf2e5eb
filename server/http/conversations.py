"""Routes of conversations, read only: lists, search, one, its transcript, and why it is where it is."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse

from protocol.ids import AccountId, ConversationId, CustomerId
from protocol.methods.conversations import ExplainResult, ListParams, ListResult
from protocol.shapes import Conversation, Message
from protocol.states import Life, OrderState
from server.http.fields import ONE_LINE, Cursor, Id, Instant, Limit, View, milliseconds
from server.http.guard import Asking, Given, GuardedRoute
from server.store.finding import Wanted

router = APIRouter(prefix="/v1/conversations", route_class=GuardedRoute, tags=["conversations"])

Pool = Annotated[str | None, Query(max_length=64, pattern=r"^[a-z_]+$", description="Only this queue pool.")]


class TranscriptView(View):
    """A conversation with its whole log, notes included."""

    conversation: Conversation
    messages: list[Message]


@router.get("")
async def list_conversations(
    deps: Given,
    caller: Asking,
    scope: Literal["mine", "queue", "recent", "all"] = "all",
    pool: Pool = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ListResult:
    """Conversations that the caller may see: their own, those that wait, their closed ones, or all."""
    return await deps.conversations.list(
        caller, ListParams(scope=scope, pool=pool, limit=limit, cursor=cursor)
    )


@router.get("/search")
async def search_conversations(
    deps: Given,
    caller: Asking,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=200, pattern=ONE_LINE, description="Part of a message in it."),
    ] = None,
    opened_from: Instant | None = None,
    opened_before: Instant | None = None,
    account_id: Annotated[UUID | None, Query(description="Served or written in by this account.")] = None,
    customer_id: Annotated[UUID | None, Query(description="Of this customer.")] = None,
    state: Life | None = None,
    order_state: OrderState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ListResult:
    """Conversations that fit everything given, newest first."""
    wanted = Wanted(
        text=q,
        opened_from_ms=milliseconds(opened_from),
        opened_before_ms=milliseconds(opened_before),
        owner=None if account_id is None else AccountId(str(account_id)),
        customer=None if customer_id is None else CustomerId(str(customer_id)),
        state=state,
        order_state=order_state,
    )
    return await deps.conversations.search(caller, wanted, cursor=cursor, limit=limit)


@router.get("/{conversation_id}")
async def get_conversation(deps: Given, caller: Asking, conversation_id: Id) -> Conversation:
    """One conversation."""
    return await deps.conversations.get(caller, ConversationId(str(conversation_id)))


@router.get(
    "/{conversation_id}/transcript",
    response_model=TranscriptView,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def get_transcript(
    deps: Given,
    caller: Asking,
    conversation_id: Id,
    form: Annotated[
        Literal["json", "text"], Query(alias="format", description="JSON, or text for people.")
    ] = "json",
) -> Response:
    """The whole log of a conversation, notes included, oldest first."""
    conversation, messages = await deps.conversations.transcript(caller, ConversationId(str(conversation_id)))
    name = f'attachment; filename="conversation-{conversation_id}.{"txt" if form == "text" else "json"}"'
    if form == "text":
        return PlainTextResponse(as_text(conversation, messages), headers={"Content-Disposition": name})
    view = TranscriptView(conversation=conversation, messages=list(messages))
    return Response(
        view.model_dump_json(), media_type="application/json", headers={"Content-Disposition": name}
    )


@router.get("/{conversation_id}/explanation")
async def explain_conversation(deps: Given, caller: Asking, conversation_id: Id) -> ExplainResult:
    """Every decision about it with every rule tried, and why it waits, if it does (KS-22)."""
    return await deps.conversations.explain(caller, ConversationId(str(conversation_id)))


def as_text(conversation: Conversation, messages: Sequence[Message]) -> str:
    """A transcript for people. Lines that somebody wrote are indented, so that no message can pass for another's."""
    lines = [f"Conversation {conversation.conversation_id}", ""]
    for message in messages:
        sender = message.sender
        name = " ".join(sender.name.split()) or sender.id or sender.kind
        lines.append(f"{message.seq}. {message.created_at} {name} ({sender.kind})")
        lines += [f"    {line}" for line in _words(message).splitlines() or [""]]
    return "\n".join(lines) + "\n"


def _words(message: Message) -> str:
    body = message.body
    if body is None:
        return "[recalled]"
    match body.kind:
        case "text":
            return body.text
        case "image":
            return f"[image {body.name}]"
        case "file":
            return f"[file {body.name}, {body.size_bytes} bytes]"
        case "order_card":
            return f"[order {body.order_id} {body.title} {body.state} {body.amount}]"
        case "note":
            return f"[note] {body.text}"
        case "system":
            return f"[{body.event}]"
