"""The roles of a shop: what each grants, who may say so, and what makes no sense (GP-02, CO-06).

Nobody but the owner gives more than they hold, and nobody takes from themselves what they would need to undo it; the
owner's role cannot be changed, so a shop can always be mended.
"""

from collections.abc import Mapping

from protocol.codes import ErrorCode
from protocol.errors import RequestError, forbidden, invalid_state, not_found
from protocol.ids import ShopId
from protocol.rights import (
    BUILT_IN,
    FIXED_ROLES,
    OWNER_ONLY,
    REACH_OF,
    UNSCOPED,
    Grants,
    Reach,
    Right,
    united,
)
from server.services.callers import Caller, CallerEyes
from server.services.rights_feed import RightsFeed
from server.services.scope import Scope
from server.store.roles import RoleRow
from server.store.roles import Roles as RoleStore

_RIGHTS = {right.value: right for right in Right}
_GRANTABLE = tuple(right.value for right in Right if right not in OWNER_ONLY)


class Roles:
    """Reads and changes roles. Everything is the caller's shop's."""

    def __init__(self, *, roles: RoleStore, scope: Scope, feed: RightsFeed) -> None:
        self._roles = roles
        self._scope = scope
        self._feed = feed

    async def list(self, caller: Caller) -> tuple[RoleRow, ...]:
        """Every role as it holds now, the built-in ones first."""
        return tuple((await self._roles.of_shop(caller.shop_id)).values())

    async def put(
        self, caller: Caller, role: str, *, name: str, grants: Mapping[str, str], rev: int
    ) -> RoleRow:
        """Make a role of the shop's own, or change what one grants; sockets and live routing follow at once, other
        nodes within a second. `grants`: right -> reach. Refused: INVALID_STATE `role_fixed`, `own_rights`;
        INVALID_PARAMS with every fault; FORBIDDEN (more than the caller holds); CONFLICT `stale_rev`."""
        _check_changeable(role)
        wanted = read_grants(grants)
        before = await self._roles.get(caller.shop_id, role)
        await self._check_giver(caller, role, before, wanted)
        row = await self._roles.put(caller.shop_id, role, name=name, grants=wanted, expected_rev=rev)
        await self._follow(caller.shop_id, role, before, wanted)
        return row

    async def delete(self, caller: Caller, role: str, *, rev: int | None) -> None:
        """A built-in role is as it was built in again; one of the shop's own is no more. Refused: NOT_FOUND;
        INVALID_STATE `role_fixed`, `role_in_use`, `own_rights`; FORBIDDEN; CONFLICT `stale_rev`."""
        _check_changeable(role)
        before = await self._roles.get(caller.shop_id, role)
        if before is None:
            raise not_found("role")
        wanted = BUILT_IN.get(role, {})
        await self._check_giver(caller, role, before, wanted)
        await self._roles.delete(caller.shop_id, role, expected_rev=rev)
        await self._follow(caller.shop_id, role, before, wanted)

    async def _check_giver(self, caller: Caller, role: str, before: RoleRow | None, wanted: Grants) -> None:
        held = await self._scope.grants(CallerEyes(caller), fresh=True)
        so_far: Grants = {} if before is None else before.grants
        beyond = [
            right.value
            for right, reach in wanted.items()
            if reach > so_far.get(right, 0) and reach > held.get(right, 0)
        ]
        if beyond:
            raise forbidden(f"grant what you do not hold yourself: {', '.join(beyond)}")
        if role in caller.roles and Right.ROLES in so_far and Right.ROLES not in wanted:
            roles = await self._roles.of_shop(caller.shop_id)
            rest = united(roles[each].grants for each in caller.roles - {role} if each in roles)
            if Right.ROLES not in rest:
                raise invalid_state(
                    "own_rights",
                    "You would lose the right to change roles, and could not undo it; let somebody else do this.",
                )

    async def _follow(self, shop: ShopId, role: str, before: RoleRow | None, after: Grants) -> None:
        so_far: Grants = {} if before is None else before.grants
        if dict(so_far) != dict(after):
            serving = (Right.SERVE in so_far) is not (Right.SERVE in after)
            await self._feed.changed(shop, await self._roles.holders(shop, role), serving=serving)


def _check_changeable(role: str) -> None:
    if role in FIXED_ROLES:
        raise invalid_state("role_fixed", f"What {role} may do cannot be changed.")


def read_grants(grants: Mapping[str, str], *, place: str = "body.grants") -> Grants:
    """Grants from words, or INVALID_PARAMS with everything that is wrong with them, each at its `place`."""
    found: dict[Right, Reach] = {Right.SIGN_IN: Reach.ALL}
    faults: list[dict[str, str]] = []
    for word, reach_word in grants.items():
        right, reach = _RIGHTS.get(word), REACH_OF.get(reach_word)
        problem = _problem(right, reach)
        if problem is not None:
            faults.append({"field": f"{place}.{word}", "problem": problem})
        elif right is not None and reach is not None:
            found[right] = reach
    if faults:
        raise RequestError(
            ErrorCode.INVALID_PARAMS,
            "invalid_grants",
            "These grants cannot hold; see errors. Nothing was changed.",
            detail=faults,
        )
    return found


def _problem(right: Right | None, reach: Reach | None) -> str | None:
    if right is None:
        return f"there is no such right; there are {', '.join(_GRANTABLE)}"
    if right in OWNER_ONLY:
        return "no role can be given this"
    if reach is None:
        return f"there is no such reach; there are {', '.join(REACH_OF)}"
    if right in UNSCOPED and reach is not Reach.ALL:
        return "this is about the shop as a whole: it reaches all, or is not granted"
    return None
