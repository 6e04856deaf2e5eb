"""Builds the HTTP side: one FastAPI application with every route behind its right.

The composition root may add the WebSocket route and static pages to it; their own headers are left alone.
"""

from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.routing import Route

from router.policy import Policy
from server.http import (
    accounts,
    api_keys,
    audit,
    auth,
    break_glass,
    collaboration_figures,
    collaboration_settings,
    configuration,
    conversation_lines,
    conversations,
    customer_list,
    customers,
    demo,
    documents,
    ending_settings,
    files,
    groups,
    health,
    holidays,
    live,
    me,
    outcome_figures,
    problems,
    quick_replies,
    reassignments,
    roles,
    routing_settings,
    rules,
    schedules,
    settings_history,
    shop_settings,
    statistics,
    wall_settings,
    widget,
)
from server.http.deps import Deps
from server.http.headers import SecurityHeaders
from server.http.problems import PROBLEM_RESPONSES, Problem
from server.http.rights import RIGHTS

ROUTERS = (
    auth.router,
    widget.router,
    me.router,
    accounts.router,
    schedules.router,
    roles.router,
    break_glass.router,
    groups.router,
    routing_settings.router,
    rules.router,
    quick_replies.router,
    shop_settings.router,
    settings_history.router,
    statistics.router,
    outcome_figures.router,
    conversation_lines.router,
    wall_settings.router,
    collaboration_settings.router,
    configuration.router,
    ending_settings.router,
    holidays.router,
    api_keys.router,
    customers.router,
    customer_list.router,
    reassignments.router,
    collaboration_figures.router,
    files.router,
    conversations.router,
    live.router,
    audit.router,
    demo.router,
    health.router,
    documents.router,
)

_BEARER = {"bearer": {"type": "http", "scheme": "bearer", "description": "An access token, or an API key."}}


def build_api(deps: Deps) -> FastAPI:
    """The application. Its routes are those of `rights.RIGHTS`, no more and no fewer."""
    app = FastAPI(
        title="Pointsman",
        version=deps.version,
        summary="Real-time chat routing for customer-service teams.",
        openapi_url=None,  # served by `documents`, behind the same door as the rest
        docs_url=None,  # the framework's page loads scripts from other servers
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(SecurityHeaders)],
    )
    app.state.deps = deps
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    built = {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    assert built == set(RIGHTS), f"routes and rights differ: {sorted(built ^ set(RIGHTS))}"
    problems.install(app)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, deps.version)
        return app.openapi_schema

    app.openapi = openapi
    return app


def _document(app: FastAPI, version: str) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=version, summary=app.summary, routes=app.routes, openapi_version="3.1.0"
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    # Taken as plain data and validated by `Policy.parse`, which reports every fault at once; described like this.
    settings = Policy.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update({name: shape for name, shape in settings.pop("$defs", {}).items() if name not in schemas})
    schemas["RoutingSettings"] = settings
    schemas.update(rules.shapes())
    _point(schemas)
    # The framework's own shape of a refusal, which is never sent here.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = _BEARER
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            access = RIGHTS[f"{method.upper()} {path}"]
            _describe(operation, served=path.startswith("/v1/"))
            if not access.public:
                operation["security"] = [{"bearer": []}]
                operation["x-right"] = access.right and access.right.value
                if access.scope is not None:
                    operation["x-scope"] = access.scope
    return document


def _point(node: Any) -> None:
    """Replaces what is marked `x-shape` by a reference to that shape."""
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            _point(item)
    elif isinstance(node, dict):
        shape = cast("dict[str, Any]", node)
        if "x-shape" in shape:
            reference = f"#/components/schemas/{shape['x-shape']}"
            shape.clear()
            shape["$ref"] = reference
        for member in shape.values():
            _point(member)


def _describe(operation: dict[str, Any], *, served: bool) -> None:
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    if not served:
        return
    for status, response in PROBLEM_RESPONSES.items():
        responses.setdefault(str(status), response)
