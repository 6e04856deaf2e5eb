"""The figures of collaborations, per agent (CO-09)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.shapes import Party
from protocol.times import text_of_ms
from server.http.fields import Instant, View, milliseconds
from server.http.guard import Asking, Given, GuardedRoute
from server.services.callers import CallerEyes

router = APIRouter(prefix="/v1/statistics", route_class=GuardedRoute, tags=["statistics"])


class AgentFiguresView(View):
    """What an agent did in collaborations."""

    agent: Party
    joined: int = Field(description="Conversations of others in which they began to take part.")
    items_done: int = Field(description="Items finished: their own, or nobody's that they finished.")
    median_s: float | None = Field(
        description="Half of those items took at most so many seconds from being added to being done."
    )


class CollaborationFigures(View):
    """Everybody within reach who has any, the busiest first."""

    begin: str
    end: str
    agents: list[AgentFiguresView]


@router.get("/collaboration")
async def collaboration_figures(
    deps: Given,
    caller: Asking,
    begin: Annotated[Instant, Query(alias="from", description="From then on.")],
    end: Annotated[Instant, Query(alias="to", description="Up to then, exclusive.")],
) -> CollaborationFigures:
    """How often who took part, what they finished, and how fast, between two moments."""
    from_ms, to_ms = milliseconds(begin), milliseconds(end)
    assert from_ms is not None, "it is required"
    assert to_ms is not None, "it is required"
    if to_ms <= from_ms:
        raise RequestError(
            ErrorCode.INVALID_PARAMS,
            "empty_span",
            "`to` must be later than `from`.",
            detail=[{"field": "query.to", "problem": "must be later than `from`"}],
        )
    rows = await deps.collaborations.figures(CallerEyes(caller), from_ms, to_ms)
    return CollaborationFigures(
        begin=text_of_ms(from_ms),
        end=text_of_ms(to_ms),
        agents=[
            AgentFiguresView(
                agent=row.agent, joined=row.joined, items_done=row.items_done, median_s=row.median_s
            )
            for row in rows
        ],
    )
