"""Routes of the routing settings (KS-23): read, change whole, history, warnings, and "what would happen" (dry run)."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import Field

from protocol.ids import AccountId
from protocol.states import OrderState
from protocol.times import text_of_ms
from router.policy import Policy
from server.http.fields import Closed, Cursor, ExternalId, Instant, Limit, Note, View, milliseconds
from server.http.guard import Asking, Given, GuardedRoute
from server.http.problems import PROBLEM_RESPONSES, Refusal
from server.services.dry_run import Described, DescribedOrder
from server.services.policies import Current

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["routing settings"])

PolicyData = Annotated[
    dict[str, Any],
    Field(
        max_length=100,
        description="Settings as in `Policy`; what is absent has its default.",
        json_schema_extra={"x-shape": "RoutingSettings"},
    ),
]
UuidText = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class SettingsBody(Closed):
    """The settings as they shall be, and the revision that they were made from."""

    rev: Annotated[int, Field(ge=0, lt=2**53, description="`rev` of the settings that were read before.")]
    policy: PolicyData
    note: Note = ""


class NoticeView(View):
    """Something allowed that should be known."""

    field: str
    word: str
    about: str
    problem: str


class SettingsView(View):
    """The settings that hold, and what should be known about them."""

    rev: int
    policy: Policy
    warnings: list[NoticeView]


class WarningList(View):
    """What should be known about the settings that hold."""

    items: list[NoticeView]


class Difference(View):
    """One setting that changed."""

    field: str
    before: Any
    after: Any


class ChangeView(View):
    """One change of the settings."""

    rev: int
    at: str
    by: str
    note: str
    before: dict[str, Any]
    after: dict[str, Any]
    diff: list[Difference]


class ChangePage(View):
    """One page, newest first."""

    items: list[ChangeView]
    cursor: str | None


class OrderBody(Closed):
    """An order of the described customer."""

    order_id: ExternalId
    state: Annotated[OrderState, Field(strict=False)]
    changed_at: Instant


class ContactBody(Closed):
    """The described customer's last contact with a human agent."""

    account_id: UuidText
    at: Instant


class DryRunBody(Closed):
    """A customer, described. `policy`: try these settings instead of those that hold; nothing is changed."""

    orders: Annotated[tuple[OrderBody, ...], Field(max_length=100, strict=False)] = ()
    entry_order_id: ExternalId | None = None
    last_contact: ContactBody | None = None
    first_paid_at: Instant | None = None
    last_bought_at: Instant | None = None
    via_bot: Annotated[bool, Field(description="The bot has had its turn.")] = False
    policy: PolicyData | None = None


class TierView(View):
    """One step of the routing order. `now`: how it would end at this moment; null when it would not come to it, or live
    state is not known. `taker`: the account that would get the customer by it."""

    kind: str
    reason: str
    agent: str | None
    groups: list[str]
    over_capacity: int | None
    even_paused: bool
    hold: bool
    pool: str | None
    now: str | None
    taker: str | None


class DryRunView(View):
    """Who would get this customer, and why: the steps in the order in which they are tried."""

    order_state: OrderState
    order_id: str | None
    returning: bool
    new_customer: bool
    priority: bool
    tiers: list[TierView]


def _view(current: Current) -> SettingsView:
    return SettingsView(
        rev=current.rev,
        policy=current.policy,
        warnings=[_notice(notice) for notice in current.warnings],
    )


def _notice(notice: Any) -> NoticeView:
    return NoticeView(field=notice.field, word=notice.word, about=notice.about, problem=notice.problem)


@router.get("/settings/routing")
async def get_routing(deps: Given, caller: Asking, response: Response) -> SettingsView:
    """The settings that hold."""
    current = await deps.policies.current(caller.shop_id)
    response.headers["ETag"] = f'"{current.rev}"'
    return _view(current)


@router.put(
    "/settings/routing",
    responses={412: {**PROBLEM_RESPONSES[409], "description": "If-Match and rev differ."}},
)
async def set_routing(
    deps: Given,
    caller: Asking,
    response: Response,
    body: SettingsBody,
    if_match: Annotated[
        str | None, Header(max_length=64, description='The ETag that was read, such as "7".')
    ] = None,
) -> SettingsView:
    """Replace the settings. Contradictory or unknown ones are refused whole (422 with every fault); made from an older
    revision they are refused too (409 `stale_rev`). They hold at once here, and within a second on every node."""
    if if_match is not None and if_match not in ("*", f'"{body.rev}"'):
        raise Refusal(412, "etag_mismatch", "If-Match and the body's rev name different revisions.")
    current = await deps.policies.update(caller, body.policy, rev=body.rev, note=body.note)
    response.headers["ETag"] = f'"{current.rev}"'
    return _view(current)


@router.get("/settings/routing/history")
async def get_history(deps: Given, caller: Asking, limit: Limit = 50, cursor: Cursor = None) -> ChangePage:
    """Who changed what and when, newest first."""
    page = await deps.policies.history(caller.shop_id, limit=limit, cursor=cursor)
    items = [
        ChangeView(
            rev=change.rev,
            at=text_of_ms(change.at_ms),
            by=change.by,
            note=change.note,
            before=change.before,
            after=change.after,
            diff=[
                Difference(field=field, before=before, after=after) for field, before, after in change.diff
            ],
        )
        for change in page.changes
    ]
    return ChangePage(items=items, cursor=page.cursor)


@router.get("/settings/routing/warnings")
async def get_warnings(deps: Given, caller: Asking) -> WarningList:
    """Unbound order states (KS-06), void entries (KS-14), and the like."""
    current = await deps.policies.current(caller.shop_id)
    return WarningList(items=[_notice(notice) for notice in current.warnings])


@router.post("/routing/dry-run")
async def dry_run(deps: Given, caller: Asking, body: DryRunBody) -> DryRunView:
    """Who would get this customer, and why. Nothing is changed."""
    described = Described(
        orders=tuple(
            DescribedOrder(order.order_id, order.state, milliseconds(order.changed_at) or 0)
            for order in body.orders
        ),
        entry_order_id=body.entry_order_id,
        contact_account=None if body.last_contact is None else AccountId(body.last_contact.account_id),
        contact_ms=None if body.last_contact is None else milliseconds(body.last_contact.at),
        first_paid_ms=milliseconds(body.first_paid_at),
        last_bought_ms=milliseconds(body.last_bought_at),
        via_bot=body.via_bot,
    )
    run = await deps.dry_run.run(caller.shop_id, described, body.policy)
    tiers = [
        TierView(
            kind=step.tier.kind,
            reason=step.tier.reason,
            agent=step.tier.agent,
            groups=list(step.tier.groups),
            over_capacity=step.tier.over_capacity,
            even_paused=step.tier.even_paused,
            hold=step.tier.hold,
            pool=step.tier.pool,
            now=step.now,
            taker=step.taker,
        )
        for step in run.steps
    ]
    return DryRunView(
        order_state=run.order_state,
        order_id=run.order_id,
        returning=run.returning,
        new_customer=run.new_customer,
        priority=run.priority,
        tiers=tiers,
    )
