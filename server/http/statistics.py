"""The route of reports (GP-05, CO-09), as JSON or CSV. What each measure means is in docs/statistics.md."""

import csv
import io
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from protocol.times import ms_of_moment, text_of_ms
from server.http.fields import Instant, View
from server.http.guard import Asking, Given, GuardedRoute
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
_COLUMNS: Final = (
    "from", "to", "key", "name", *_COUNTS,
    *(f"{measure}_{column}" for measure in _TIMES for column in _TIME_COLUMNS),
    "within_3_min", "ratings_count", "ratings_mean",
)  # fmt: skip


@router.get(
    "",
    response_model=ReportView,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def get_statistics(
    deps: Given,
    caller: Asking,
    first: Annotated[Instant, Query(alias="from", description="The beginning.")],
    last: Annotated[Instant, Query(alias="to", description="The end, exclusive.")],
    step: Step = "total",
    by: By = "shop",
    form: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Absent: as Accept says, else JSON.")
    ] = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Figures of what the caller may see, by time and by group, agent or order state. Steps are those of the shop's
    clock."""
    report = await deps.reports.report(caller, ms_of_moment(first), ms_of_moment(last), step, by)
    if form == "csv" or (form is None and accept.partition(";")[0].strip() == "text/csv"):
        headers = {"Content-Disposition": f'attachment; filename="statistics-by-{by}.csv"'}
        return Response(as_csv(report), media_type="text/csv; charset=utf-8", headers=headers)
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


def as_csv(report: Report) -> str:
    """The same as a table, with a header; a byte order mark lets spreadsheets see that it is UTF-8."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(_COLUMNS)
    for line in report.lines:
        view = _view(line)
        times: list[Times] = [getattr(view, measure) for measure in _TIMES]
        row: list[object] = [view.from_, view.to, view.key, _cell(view.name)]
        row += [getattr(view, measure) for measure in _COUNTS]
        row += [getattr(time, column) for time in times for column in _TIME_COLUMNS]
        row += [view.within_3_min, view.ratings.count, view.ratings.mean]
        table.writerow(["" if value is None else value for value in row])
    return "\ufeff" + out.getvalue()


def _cell(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
