"""The route of reports (GP-05, CO-09), as JSON, CSV or XLSX. What each measure means is in docs/statistics.md."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from protocol.times import ms_of, ms_of_moment, text_of_ms
from server.http.fields import Instant, View
from server.http.guard import Asking, Given, GuardedRoute
from server.http.report_words import Language, code, title
from server.http.sheets import XLSX, Column, Sheet, Value, send
from server.services.statistics import NO_FIGURE, Line, Report, Step
from server.store.statistics import By, Figure

router = APIRouter(prefix="/v1/statistics", route_class=GuardedRoute, tags=["statistics"])


class Times(View):
    """Durations in milliseconds; null where there were none. `p95`: 95 of 100 took at most this long."""

    count: int
    mean_ms: int | None
    median_ms: int | None
    p95_ms: int | None
    longest_ms: int | None


class Ratings(View):
    """What customers gave, 1 to 5."""

    count: int
    mean: float | None


class LineView(View):
    """One stretch of time for one key."""

    from_: str = Field(serialization_alias="from")
    to: str
    key: str | None = Field(description="An id or an order state; null: the shop, or what belongs to nobody.")
    name: str
    opened: int
    assigned: int
    closed: int
    abandoned: int
    unanswered: int
    served_by_several: int
    transfers_in: int
    transfers_out: int
    cross_group_tries: int
    messages_customer: int
    messages_agent: int
    messages_bot: int
    notes: int
    first_responses: Times
    responses: Times
    within_3_min: float | None = Field(description="Share of replies within three minutes, 0 to 1.")
    resolutions: Times
    queue_waits: Times
    ratings: Ratings
    collaborations: int
    collaboration_times: Times
    items_done: Times
    online_ms: int = Field(description="Time that agents spent online, added up; bots left out.")
    paused_ms: int
    offline_ms: int = Field(description="Not at work, or without connection for too long.")
    away_ms: int = Field(
        description="Of `offline_ms`: they chose another status, and their connection was lost."
    )


class ReportView(View):
    """Lines by time, then by name. What has no line did not happen."""

    timezone: str
    step: Step
    by: By
    lines: list[LineView]


_COUNTS: Final = (
    "opened", "assigned", "closed", "abandoned", "unanswered", "served_by_several", "transfers_in", "transfers_out",
    "cross_group_tries", "messages_customer", "messages_agent", "messages_bot", "notes", "collaborations",
)  # fmt: skip
_TIMES: Final = (
    "first_responses",
    "responses",
    "resolutions",
    "queue_waits",
    "collaboration_times",
    "items_done",
)
_TIME_COLUMNS: Final = ("count", "mean_ms", "median_ms", "p95_ms", "longest_ms")
_STATES: Final = ("online_ms", "paused_ms", "offline_ms", "away_ms")
BATCH: Final = 500


@router.get(
    "",
    response_model=ReportView,
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            }
        }
    },
)
async def get_statistics(
    deps: Given,
    caller: Asking,
    first: Annotated[Instant, Query(alias="from", description="The beginning.")],
    last: Annotated[Instant, Query(alias="to", description="The end, exclusive.")],
    step: Step = "total",
    by: By = "shop",
    form: Annotated[
        Literal["json", "csv", "xlsx"] | None,
        Query(alias="format", description="Absent: as Accept says, else JSON."),
    ] = None,
    language: Annotated[
        Language | None,
        Query(description="Of CSV and XLSX: heads and times for people. Absent: for programs."),
    ] = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Figures of what the caller may see, by time and by group, agent or order state. Steps are those of the shop's
    clock."""
    report = await deps.reports.report(caller, ms_of_moment(first), ms_of_moment(last), step, by)
    if form is None and accept.partition(";")[0].strip() == "text/csv":
        form = "csv"
    if form == "csv" or form == "xlsx":
        zone = None if language is None else ZoneInfo(report.timezone)
        columns = _columns(by, language, seconds=form == "csv")
        return await send(Sheet(f"statistics-by-{by}", columns, _batches(report), zone), form)
    view = ReportView(
        timezone=report.timezone, step=step, by=by, lines=[_view(line) for line in report.lines]
    )
    return Response(view.model_dump_json(by_alias=True), media_type="application/json")


def _view(line: Line) -> LineView:
    figures = line.figures
    counts = {measure: _of(figures, measure).n for measure in _COUNTS}
    responses, ratings = _of(figures, "responses"), _of(figures, "ratings")
    answered = responses.timed + counts["unanswered"]
    return LineView(
        from_=text_of_ms(line.from_ms),
        to=text_of_ms(line.to_ms),
        key=line.key,
        name=line.name,
        **counts,
        first_responses=_times(_of(figures, "first_responses")),
        responses=_times(responses),
        within_3_min=round(responses.quick / answered, 4) if answered else None,
        resolutions=_times(_of(figures, "resolutions")),
        queue_waits=_times(_of(figures, "queue_waits")),
        ratings=Ratings(count=ratings.n, mean=round(ratings.total / ratings.n, 2) if ratings.n else None),
        collaboration_times=_times(_of(figures, "collaborations")),
        items_done=_times(_of(figures, "items_done")),
        online_ms=line.states.get("online", 0),
        paused_ms=line.states.get("paused", 0),
        offline_ms=line.states.get("offline", 0) + line.states.get("away", 0),
        away_ms=line.states.get("away", 0),
    )


def _of(figures: Mapping[str, Figure], measure: str) -> Figure:
    return figures.get(measure, NO_FIGURE)


def _times(figure: Figure) -> Times:
    return Times(
        count=figure.timed,
        mean_ms=round(figure.total / figure.timed) if figure.timed else None,
        median_ms=figure.median,
        p95_ms=figure.p95,
        longest_ms=figure.longest,
    )


def _columns(by: By, language: Language | None, *, seconds: bool) -> list[Column[LineView]]:
    """A table of lines. Machine names are those of the JSON, joined by underscores."""

    def measured(name: str) -> Callable[[LineView], Value]:
        return lambda view: getattr(view, name)

    def name_of(view: LineView) -> str:
        return code(view.key, language) if by == "order_state" and view.key is not None else view.name

    def figure(measure: str, part: str) -> Column[LineView]:
        head = title(measure, language, figure=part, seconds=seconds and part != "count")
        kind = "number" if part == "count" else "duration"
        return Column(head, kind, lambda view: getattr(getattr(view, measure), part))

    def state(name: str) -> Column[LineView]:
        return Column(title(name, language, seconds=seconds), "duration", measured(name))

    return [
        Column(title("from", language), "moment", lambda view: ms_of(view.from_)),
        Column(title("to", language), "moment", lambda view: ms_of(view.to)),
        Column(title("key", language), "text", lambda view: view.key),
        Column(title("name", language), "text", name_of),
        *(Column(title(name, language), "number", measured(name)) for name in _COUNTS),
        *(figure(measure, part) for measure in _TIMES for part in _TIME_COLUMNS),
        Column(title("within_3_min", language), "share", lambda view: view.within_3_min),
        Column(title("ratings_count", language), "number", lambda view: view.ratings.count),
        Column(title("ratings_mean", language), "number", lambda view: view.ratings.mean),
        *(state(name) for name in _STATES),
    ]


async def _batches(report: Report) -> AsyncIterator[Sequence[LineView]]:
    for first in range(0, len(report.lines), BATCH):
        yield [_view(line) for line in report.lines[first : first + BATCH]]
