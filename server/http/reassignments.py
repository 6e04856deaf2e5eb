"""Routes that give customers to somebody, one or many (GP-07). One customer is a job of one."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, model_validator

from protocol.ids import AccountId
from protocol.states import OrderState
from protocol.times import text_of_ms
from server.http.customer_list import OwnerWanted, TextWanted, owner_of
from server.http.fields import Closed, Cursor, Id, Limit, Note, Tag, View, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.store.customer_list import CustomersWanted
from server.store.reassignments import ReassignmentRow

router = APIRouter(prefix="/v1/customers/reassignments", route_class=GuardedRoute, tags=["customer list"])


class FilterBody(Closed):
    """All customers whom the caller sees now and who fit everything given, as in the list."""

    owner: OwnerWanted | None = None
    tag: Tag | None = None
    q: TextWanted | None = None
    order_state: Annotated[OrderState | None, Field(strict=False)] = None


class ReassignmentBody(Closed):
    """Who goes to whom: either `customer_ids` or `filter`."""

    customer_ids: (
        Annotated[list[Annotated[UUID, Field(strict=False)]], Field(min_length=1, max_length=5000)] | None
    ) = None
    filter: FilterBody | None = None
    to: Annotated[UUID | None, Field(strict=False, description="An account; null: they are nobody's.")]
    reason: Note = ""

    @model_validator(mode="after")
    def _one_way(self) -> "ReassignmentBody":
        if (self.customer_ids is None) == (self.filter is None):
            raise ValueError("give either customer_ids or filter")
        return self


class ReassignmentView(View):
    """How far a job is. `done` and `refused` are of `total`; what was refused: `.../refused`."""

    id: str
    state: Literal["running", "done"]
    to: str | None
    by: str
    reason: str
    total: int
    done: int
    refused: int
    created_at: str
    finished_at: str | None


class RefusedView(View):
    """A customer who stayed as they were."""

    customer_id: str
    why: str = Field(
        description="`out_of_scope`, `no_right`, `not_found`, or `target_gone`: who was to have them serves no longer."
    )


class RefusedPage(View):
    """One page of a job's report."""

    items: list[RefusedView]
    cursor: str | None


def _view(row: ReassignmentRow) -> ReassignmentView:
    return ReassignmentView(
        id=row.id,
        state=row.state,
        to=row.to_id,
        by=row.by_id,
        reason=row.reason,
        total=row.total,
        done=row.done,
        refused=row.refused,
        created_at=text_of_ms(row.created_ms),
        finished_at=stamp_if(row.finished_ms),
    )


@router.post("", status_code=202)
async def reassign_customers(deps: Given, caller: Asking, body: ReassignmentBody) -> ReassignmentView:
    """Begin a job; a small one is done with the answer. Every customer, and the target, is judged by the caller's own
    reach; what is refused stays as it is, is reported, and recorded."""
    wanted = body.filter
    row = await deps.reassignments.begin(
        caller,
        customers=[str(each) for each in body.customer_ids or ()]
        if wanted is None
        else CustomersWanted(
            owner=owner_of(wanted.owner, caller.account_id),
            tag=wanted.tag,
            text=wanted.q,
            order_state=wanted.order_state,
        ),
        to=None if body.to is None else AccountId(str(body.to)),
        reason=body.reason,
    )
    return _view(row)


@router.get("/{reassignment_id}")
async def get_reassignment(deps: Given, caller: Asking, reassignment_id: Id) -> ReassignmentView:
    """How far it is: of one's own; of anybody, for who may reassign every customer."""
    return _view(await deps.reassignments.get(caller, str(reassignment_id)))


@router.get("/{reassignment_id}/refused")
async def list_refused(
    deps: Given, caller: Asking, reassignment_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> RefusedPage:
    """Which customers stayed as they were, and why."""
    page = await deps.reassignments.refused(caller, str(reassignment_id), cursor=cursor, limit=limit)
    items = [RefusedView(customer_id=row.customer_id, why=row.why) for row in page.rows]
    return RefusedPage(items=items, cursor=page.cursor)
