"""Giving customers to somebody, one or many (GP-07). Every customer, and whom they go to, is judged by the scope
engine, by what whoever asked may do when it is done.

A job is durable: it is begun at once by the node that was asked, and any node goes on with what is left.
"""

from collections.abc import Mapping, Sequence

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.ids import AccountId, CustomerId, PersonId
from protocol.rights import Reach, Right
from protocol.states import Role
from server.background import Background
from server.services.audit import Act, Audit
from server.services.callers import Caller, CallerEyes
from server.services.customer_list import CustomerList
from server.services.customer_news import CustomerNews
from server.services.scope import Scope, Why
from server.services.viewer import AccountEyes
from server.store.accounts import AccountRow, Accounts
from server.store.acting import acting, actor_now
from server.store.customer_list import CustomersWanted, everybody, named
from server.store.reassignments import BATCH, CUSTOMERS_MOST, ReassignmentRow, RefusedRow
from server.store.reassignments import Reassignments as Store
from server.store.rows import CustomerRow, Page

ACT = "reassign customers"
TARGET_GONE = "target_gone"
"""Who was to have them serves no longer."""


class OnBehalf:
    """Whoever asked for a job, while a node works at it."""

    def __init__(self, job: ReassignmentRow) -> None:
        self._job = job

    def plain(self) -> dict[str, object]:
        """See `acting.Actor`."""
        source = {**self._job.actor.get("source", {}), "reassignment": self._job.id}
        return {**self._job.actor, "source": source}


class Reassignments:
    """Begins jobs, works at them, and tells how far they are."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        customers: CustomerList,
        scope: Scope,
        audit: Audit,
        news: CustomerNews,
        background: Background,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._customers = customers
        self._scope = scope
        self._audit = audit
        self._news = news
        self._background = background

    async def begin(
        self,
        caller: Caller,
        *,
        customers: Sequence[str] | CustomersWanted,
        to: AccountId | None,
        reason: str,
    ) -> ReassignmentRow:
        """A job for these customers, or for all that the caller sees and wants now. What fits in one batch is done when
        this returns.

        Refused as a whole: NOT_FOUND (no such account), FORBIDDEN (the target is out of reach), INVALID_STATE
        `cannot_serve`, INVALID_PARAMS `too_many_customers`. What is refused of the customers is in the job's report.
        """
        if to is not None:
            target = await self._accounts.get(caller.shop_id, to)
            await self._scope.require(CallerEyes(caller), Right.CUSTOMER_ASSIGN, ACT, account=to)
            if not await self._serves(target):
                raise invalid_state("cannot_serve", "This account serves nobody; choose somebody who does.")
        actor = actor_now()
        assert actor is not None, "the door says who calls"
        job = await self._store.create(
            caller.shop_id,
            by=caller.account,
            to=to,
            reason=reason,
            actor=actor.plain(),
            customers=everybody(
                caller.shop_id, customers, await self._customers.sight(caller), CUSTOMERS_MOST + 1
            )
            if isinstance(customers, CustomersWanted)
            else named(customers),
        )
        if job.total > BATCH:
            self._background.start(self.work(job), "reassignment")
            return job
        await self.work(job)
        return await self._store.get(job.shop_id, job.id)

    async def get(self, caller: Caller, reassignment_id: str) -> ReassignmentRow:
        """A job of one's own; of anybody, for who may reassign everything. NOT_FOUND."""
        job = await self._store.get(caller.shop_id, reassignment_id)
        reach = (await self._scope.grants(CallerEyes(caller))).get(Right.CUSTOMER_ASSIGN)
        if job.by_id != caller.account_id and reach is not Reach.ALL:
            raise not_found("reassignment")
        return job

    async def refused(
        self, caller: Caller, reassignment_id: str, *, cursor: str | None, limit: int
    ) -> Page[RefusedRow]:
        """Which customers stayed as they were, and why. NOT_FOUND."""
        job = await self.get(caller, reassignment_id)
        return await self._store.refused(job.shop_id, job.id, cursor=cursor, limit=limit)

    async def work(self, job: ReassignmentRow) -> int:
        """Do what is left of a job and nobody else works at; how many customers that were."""
        worked = 0
        with acting(OnBehalf(job)):
            while True:
                step = await self._store.step(job, lambda customers: self._judged(job, customers))
                if not step.worked:
                    return worked
                worked += step.worked
                await self._news.changed(job.shop_id, step.changed, step.talks)

    async def go_on(self) -> int:
        """Work at every job that is not done; how many customers that were."""
        return sum([await self.work(job) for job in await self._store.running()])

    async def _judged(
        self, job: ReassignmentRow, customers: Sequence[CustomerRow]
    ) -> Mapping[CustomerId, str]:
        """Why the job may not touch some of these; recorded before anything changes (GP-03)."""
        why = await self._reasons(job, customers)
        for reason in dict.fromkeys(why.values()):
            ids = [customer for customer, given in why.items() if given == reason]
            await self._audit.refused(
                Act(
                    shop_id=job.shop_id,
                    actor_kind=str(job.actor["kind"]),
                    actor_id=str(job.actor["id"]),
                    actor_name=str(job.actor["name"]),
                    action="customers.reassign",
                    source={**job.actor.get("source", {}), "reassignment": job.id},
                    subject_kind="customer" if len(ids) == 1 else "reassignment",
                    subject_id=ids[0] if len(ids) == 1 else job.id,
                    after={"customer_ids": ids, "to": job.to_id, "reassignment_id": job.id},
                ),
                RequestError(ErrorCode.FORBIDDEN, reason, "Not reassigned."),
            )
        return why

    async def _reasons(self, job: ReassignmentRow, customers: Sequence[CustomerRow]) -> dict[CustomerId, str]:
        asker = await self._accounts.get(job.shop_id, job.by_id)
        roles = asker.roles if asker.disabled_ms is None else frozenset[str]()
        eyes = AccountEyes(job.shop_id, PersonId(asker.id), roles)
        if job.to_id is not None:
            if not await self._serves(await self._accounts.get(job.shop_id, job.to_id)):
                return {customer.id: TARGET_GONE for customer in customers}
            target = await self._scope.judge(eyes, Right.CUSTOMER_ASSIGN, account=job.to_id)
            if target is not Why.PERMITTED:
                return {customer.id: target.value for customer in customers}
        # Reach over a customer is reach over their owner: judged once for each owner of the batch.
        verdicts: dict[AccountId | None, Why] = {}
        seen: dict[AccountId | None, bool] = {}
        why: dict[CustomerId, str] = {}
        for customer in customers:
            owner = customer.owner_id
            if owner not in verdicts:
                verdicts[owner] = await self._scope.judge(eyes, Right.CUSTOMER_ASSIGN, customer=customer)
                seen[owner] = (
                    await self._scope.judge(eyes, Right.CUSTOMER_VIEW, customer=customer) is Why.PERMITTED
                )
            if verdicts[owner] is not Why.PERMITTED:
                why[customer.id] = verdicts[owner].value if seen[owner] else "not_found"
        return why

    async def _serves(self, account: AccountRow) -> bool:
        """Whether somebody can look after customers: a person who still serves."""
        if account.disabled_ms is not None or Role.BOT in account.roles:
            return False
        eyes = AccountEyes(account.shop_id, PersonId(account.id), account.roles)
        return await self._scope.may(eyes, Right.SERVE)
