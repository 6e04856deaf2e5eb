"""Which conversations somebody may know of, as a condition for lists and search (GP-02): `Scope.may_see` in SQL."""

from dataclasses import dataclass

from protocol.ids import AccountId, PersonId


@dataclass(frozen=True, slots=True)
class Within:
    """What somebody reaches. None: everything of that kind.

    `holders`: they may read what these have, or had last. `pools`: and what nobody has in these pools; `waiting`: they
    may take what waits in these. Both with the default pool, if with any. What they take part in, are asked into, or
    had last is theirs to see in any case.
    """

    person: PersonId
    holders: frozenset[AccountId] | None
    pools: frozenset[str] | None
    waiting: frozenset[str] | None

    @property
    def args(self) -> tuple[object, ...]:
        """For the four parameters of `reached`."""
        return self.person, _list(self.holders), _list(self.pools), _list(self.waiting)


EVERYTHING = Within(PersonId(""), None, None, None)
"""No limit."""


def reached(first: int) -> str:
    """The condition on `c`, with parameters from `$first` on."""
    me, holders, pools, waiting = (f"${first + i}" for i in range(4))
    holder = "CASE c.state WHEN 'closed' THEN coalesce(c.owner_id, c.last_owner_id) ELSE c.owner_id END"
    pool = "coalesce(c.pool, 'default')"
    return f"""(
        {holders}::uuid[] IS NULL OR {holder} = ANY ({holders})
        OR ({holder} IS NULL AND ({pools}::text[] IS NULL OR {pool} = ANY ({pools})))
        OR (c.state = 'queued' AND ({waiting}::text[] IS NULL OR {pool} = ANY ({waiting})))
        OR {me}::uuid IN (c.owner_id, c.last_owner_id)
        OR {me}::uuid = ANY (c.collaborators || c.supervisors || c.watchers || c.invited)
    )"""


def _list(things: frozenset[AccountId] | frozenset[str] | None) -> list[str] | None:
    return None if things is None else sorted(things)
