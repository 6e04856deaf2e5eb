"""Routes of the customer list, for colleagues (GP-07): who looks after whom, tags and notes.

`/v1/customers/{external_id}` (the shop's own ids, for its systems) is beside it; here customers have our ids.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from protocol.ids import AccountId, CustomerId
from protocol.shapes import Party
from protocol.states import OrderState
from protocol.times import text_of_ms
from server.http.customers import OrderView, order_view
from server.http.fields import ONE_LINE, PRINTABLE, Closed, Cursor, Id, Limit, Tag, View, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.services.customer_list import CustomerFile, ListedCustomer
from server.store.customer_list import CustomersWanted, NoteRow

router = APIRouter(prefix="/v1/customers", route_class=GuardedRoute, tags=["customer list"])

OwnerWanted = Annotated[
    str,
    StringConstraints(pattern=r"^(me|nobody|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"),
    Field(description="Looked after by this account, by `me`, or by `nobody`."),
]
TextWanted = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, pattern=ONE_LINE),
    Field(description="Part of the name, or of the shop's own id."),
]


class ListedView(View):
    """A customer in the list. `external_id`: the shop's own id; null for an anonymous visitor."""

    id: str
    external_id: str | None
    name: str
    anonymous: bool
    tags: list[str]
    owner: Party | None = Field(description="The colleague who looks after them.")
    first_paid_at: str | None
    last_bought_at: str | None
    created_at: str


class CustomerPage(View):
    """One page, the newest customers first."""

    items: list[ListedView]
    cursor: str | None


class NoteView(View):
    """Something that a colleague noted; customers never see it."""

    id: str
    by: Party
    text: str
    created_at: str


class NotePage(View):
    """One page, the latest first."""

    items: list[NoteView]
    cursor: str | None


class CustomerFileView(ListedView):
    """A customer with everything that colleagues know. `notes`: the latest; `notes_cursor` goes on."""

    orders: list[OrderView]
    conversations: int = Field(description="How many there were, the open one included.")
    open_conversation_id: str | None
    notes: list[NoteView]
    notes_cursor: str | None


class TagsBody(Closed):
    """What is to change."""

    tags: Annotated[list[Tag], Field(max_length=50, description="All of them: they replace those before.")]


class NoteBody(Closed):
    """A note."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=PRINTABLE)]


def owner_of(wanted: str | None, me: AccountId | None) -> AccountId | None:
    """An owner as somebody wants them. `nobody` is passed on as it is."""
    return me if wanted == "me" else None if wanted is None else AccountId(wanted)


def _listed(one: ListedCustomer) -> ListedView:
    row = one.customer
    return ListedView(
        id=row.id,
        external_id=row.external_id,
        name=row.name,
        anonymous=row.anonymous,
        tags=list(row.tags),
        owner=one.owner,
        first_paid_at=stamp_if(row.first_paid_ms),
        last_bought_at=stamp_if(row.last_bought_ms),
        created_at=text_of_ms(row.created_ms),
    )


def _note(row: NoteRow) -> NoteView:
    return NoteView(
        id=row.id,
        by=Party(kind="agent", id=row.by_id, name=row.by_name),
        text=row.text,
        created_at=text_of_ms(row.created_ms),
    )


def _file(file: CustomerFile) -> CustomerFileView:
    return CustomerFileView(
        **_listed(file.listed).model_dump(),
        orders=[order_view(order) for order in file.orders],
        conversations=file.dealings.conversations,
        open_conversation_id=file.dealings.open_conversation,
        notes=[_note(note) for note in file.notes.rows],
        notes_cursor=file.notes.cursor,
    )


@router.get("")
async def list_customers(
    deps: Given,
    caller: Asking,
    owner: Annotated[OwnerWanted | None, Query()] = None,
    tag: Annotated[Tag | None, Query(description="With this tag.")] = None,
    q: Annotated[TextWanted | None, Query()] = None,
    order_state: Annotated[OrderState | None, Query(description="With an order in this state.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CustomerPage:
    """Customers whom the caller may see and who fit everything given."""
    wanted = CustomersWanted(
        owner=owner_of(owner, caller.account_id), tag=tag, text=q, order_state=order_state
    )
    page = await deps.customer_list.page(caller, wanted, cursor=cursor, limit=limit)
    return CustomerPage(items=[_listed(one) for one in page.rows], cursor=page.cursor)


@router.get("/id/{customer_id}")
async def get_listed_customer(deps: Given, caller: Asking, customer_id: Id) -> CustomerFileView:
    """A customer with owner, tags, orders, notes, and how many conversations there were."""
    return _file(await deps.customer_list.get(caller, _id(customer_id)))


@router.patch("/id/{customer_id}")
async def patch_customer(deps: Given, caller: Asking, customer_id: Id, body: TagsBody) -> CustomerFileView:
    """Replace the tags; colleagues in the customer's open conversation see it at once."""
    tags = tuple(dict.fromkeys(body.tags))
    return _file(await deps.customer_list.set_tags(caller, _id(customer_id), tags))


@router.get("/id/{customer_id}/notes")
async def list_notes(
    deps: Given, caller: Asking, customer_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> NotePage:
    """What was noted about a customer."""
    page = await deps.customer_list.notes(caller, _id(customer_id), cursor=cursor, limit=limit)
    return NotePage(items=[_note(note) for note in page.rows], cursor=page.cursor)


@router.post("/id/{customer_id}/notes", status_code=201)
async def add_note(deps: Given, caller: Asking, customer_id: Id, body: NoteBody) -> NoteView:
    """Note something about a customer, for colleagues."""
    return _note(await deps.customer_list.add_note(caller, _id(customer_id), body.text))


def _id(customer_id: UUID) -> CustomerId:
    return CustomerId(str(customer_id))
