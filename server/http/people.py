"""How an account is shown over HTTP."""

from pydantic import Field

from protocol.states import AgentStatus, PauseMode
from protocol.times import text_of_ms
from server.http.fields import View, stamp_if
from server.store.accounts import AccountRow


class AccountView(View):
    """An account of the shop, without anything secret."""

    id: str
    email: str
    name: str
    roles: list[str]
    capacity: int | None = Field(description="Conversations at once; null: the shop's default.")
    pause_mode: PauseMode
    pause_at: int | None
    excluded: bool = Field(
        description="Never routed to (KS-14); group and offline settings are kept, and void."
    )
    status: AgentStatus = Field(description="What the agent chose last.")
    disabled_at: str | None
    created_at: str


def account_view(row: AccountRow) -> AccountView:
    """As it is given out."""
    return AccountView(
        id=row.id,
        email=row.email,
        name=row.name,
        roles=sorted(row.roles),
        capacity=row.capacity,
        pause_mode=row.pause_mode,
        pause_at=row.pause_at,
        excluded=row.excluded,
        status=row.status,
        disabled_at=stamp_if(row.disabled_ms),
        created_at=text_of_ms(row.created_ms),
    )
