"""The route of what became of conversations and why customers rated as they did (GP-05), as JSON, CSV or XLSX."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field

from protocol.times import ms_of_moment
from server.http.fields import Instant, View
from server.http.guard import Asking, Given, GuardedRoute
from server.http.report_words import Language, code, title
from server.http.sheets import XLSX, Column, Sheet, Value, send
from server.services.outcomes import OutcomeLine
from server.store.outcomes import OutcomeKind
from server.store.statistics import By

router = APIRouter(prefix="/v1/statistics", route_class=GuardedRoute, tags=["statistics"])


class OutcomeView(View):
    """One tag, or one reason, of one key."""

    key: str | None = Field(description="An id or an order state; null: the shop, or what belongs to nobody.")
    name: str
    kind: OutcomeKind
    id: str | None = Field(description="Of the tag or reason; null: none was given.")
    labels: dict[str, str] = Field(
        description="Language -> words; of a tag its name, under the empty word. Empty: not known any more."
    )
    conversations: int
    of: int = Field(description="All that were closed; of reasons: all that were rated.")
    ratings_count: int
    ratings_mean: float | None


class OutcomeReport(View):
    """By key: first the tags, then the reasons, what was given most first. A conversation with two tags is in two
    lines."""

    by: By
    lines: list[OutcomeView]


@router.get(
    "/outcomes",
    response_model=OutcomeReport,
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            }
        }
    },
)
async def get_outcomes(
    deps: Given,
    caller: Asking,
    first: Annotated[Instant, Query(alias="from", description="Closed from then on.")],
    last: Annotated[Instant, Query(alias="to", description="Closed before.")],
    by: By = "shop",
    form: Annotated[Literal["json", "csv", "xlsx"], Query(alias="format")] = "json",
    language: Annotated[
        Language | None, Query(description="Of CSV and XLSX: for people. Absent: for programs.")
    ] = None,
) -> Response:
    """How often each result tag, and each reason for a rating, was given, and how those conversations were rated."""
    lines = await deps.outcomes.report(caller, ms_of_moment(first), ms_of_moment(last), by)
    if form != "json":
        zone = None if language is None else ZoneInfo("UTC")
        return await send(Sheet(f"outcomes-by-{by}", _columns(by, language), _batch(lines), zone), form)
    report = OutcomeReport(by=by, lines=[_view(line) for line in lines])
    return Response(report.model_dump_json(), media_type="application/json")


def _view(line: OutcomeLine) -> OutcomeView:
    one = line.outcome
    return OutcomeView(
        key=one.key,
        name=line.name,
        kind=one.kind,
        id=one.id,
        labels=dict(line.labels),
        conversations=one.n,
        of=one.of,
        ratings_count=one.rated,
        ratings_mean=round(one.stars / one.rated, 2) if one.rated else None,
    )


def _columns(by: By, language: Language | None) -> list[Column[OutcomeView]]:
    def name_of(view: OutcomeView) -> str:
        return code(view.key, language) if by == "order_state" and view.key is not None else view.name

    def label(view: OutcomeView) -> Value:
        if view.id is None:
            return code("none", language)
        return view.labels.get(language or "") or next(iter(view.labels.values()), view.id)

    return [
        Column(title("key", language), "text", lambda view: view.key),
        Column(title("name", language), "text", name_of),
        Column(title("kind", language), "text", lambda view: code(view.kind, language)),
        Column(title("id", language), "text", lambda view: view.id),
        Column(title("label", language), "text", label),
        Column(title("conversations", language), "number", lambda view: view.conversations),
        Column(title("of", language), "number", lambda view: view.of),
        Column(title("share", language), "share", lambda view: round(view.conversations / view.of, 4)),
        Column(title("ratings_count", language), "number", lambda view: view.ratings_count),
        Column(title("ratings_mean", language), "number", lambda view: view.ratings_mean),
    ]


async def _batch(lines: Sequence[OutcomeLine]) -> AsyncIterator[Sequence[OutcomeView]]:
    yield [_view(line) for line in lines]
