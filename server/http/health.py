"""Routes for those who run the server: is it alive, should it get traffic, and its figures."""

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse

from server.http.fields import View
from server.http.guard import Given, GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

READINESS_S = 2.0
"""A part that has not answered by then is not ready."""


class Alive(View):
    """The process answers."""

    alive: bool = True


class Ready(View):
    """Whether the node should get traffic, and per part what is wrong with it."""

    ready: bool
    problems: dict[str, str]


@router.get("/livez")
async def livez() -> Alive:
    """The process answers. Nothing else is looked at: a restart would not mend a database."""
    return Alive()


@router.get(
    "/readyz", response_model=Ready, responses={503: {"model": Ready, "description": "No traffic, please."}}
)
async def readyz(deps: Given) -> Response:
    """Whether this node should get traffic: it is not draining, and PostgreSQL and Redis answer."""
    try:
        async with asyncio.timeout(READINESS_S):
            problems = await deps.readiness()
    except TimeoutError:
        problems = {"readiness": f"no answer within {READINESS_S:g} s"}
    view = Ready(ready=not problems, problems=problems)
    return JSONResponse(view.model_dump(), 200 if view.ready else 503)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Figures."}},
)
async def metrics(deps: Given) -> Response:
    """Figures in Prometheus' text format. For the inner network: close it off at the proxy."""
    return Response(generate_latest(deps.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
