"""The doors of the server: whether a request or a route may be called at all, and who was refused (GP-03).

How far a right reaches is judged later, by the service, on the thing itself; its refusals come back here to be kept.
"""

from contextlib import AbstractContextManager

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.methods import Method, may_call
from protocol.rights import Right
from protocol.shapes import Shape
from server.services.actors import AtSocket, OverHttp, kind_of, source_of
from server.services.audit import Act, Audit, Source
from server.services.callers import Caller, CallerEyes
from server.services.scope import Scope, Why, refusal
from server.session import Session
from server.store.acting import act_as, acting


class Doors:
    """Implements the gateway's `Door`, and the same for HTTP."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    async def admit(self, session: Session, method: Method) -> None:
        """See `Door.admit`. Each request has a task of its own: what it changes from here on is this person's act."""
        act_as(AtSocket(session, method.name))
        if not may_call(session.kind, await self._scope.grants(session), method):
            if method.right is None:
                raise RequestError(
                    ErrorCode.FORBIDDEN, "not_for_accounts", f"{method.name} is not for colleagues."
                )
            raise refusal(Why.NO_RIGHT, f"call {method.name}", method.right)

    async def refused(self, session: Session, method: Method, params: Shape, error: RequestError) -> None:
        """See `Door.refused`."""
        await self._audit.refused(
            Act(
                shop_id=session.shop_id,
                actor_kind=session.kind.value,
                actor_id=session.person_id,
                actor_name=session.name,
                action=method.name,
                source=source_of(session),
                after=named_in(params.model_dump(mode="json")),
            ),
            error,
        )

    def acts(self, caller: Caller, route: str, address: str) -> AbstractContextManager[None]:
        """What is changed in this block is the caller's act."""
        return acting(OverHttp(caller, route, address))

    async def caller_may(self, caller: Caller, right: Right | None) -> bool:
        """Whether an account may use a route that needs `right`; API keys are judged by their scopes."""
        if right is None or caller.account_id is None:
            return False
        return await self._scope.may(CallerEyes(caller), right)

    async def caller_refused(
        self, caller: Caller, route: str, ids: dict[str, str], address: str, error: RequestError
    ) -> None:
        """Record a refused try over HTTP. Never raises."""
        await self._audit.refused(
            Act(
                shop_id=caller.shop_id,
                actor_kind=kind_of(caller),
                actor_id=caller.label,
                actor_name=caller.name,
                action=route,
                source=Source(via="http", address=address),
                after=dict(ids),
            ),
            error,
        )


def named_in(params: dict[str, object]) -> dict[str, object]:
    """What a refused request named: ids only, never texts."""
    return {
        name: value
        for name, value in params.items()
        if name.endswith(("_id", "_ids")) and value not in (None, [])
    }
