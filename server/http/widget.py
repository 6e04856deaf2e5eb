"""Routes of the customer's widget: a session, with or without proof of who the customer is."""

from fastapi import APIRouter, Request, Response

from protocol.errors import RequestError
from protocol.times import text_of_ms
from server.http.fields import Closed, Secret, Slug, View
from server.http.guard import Given, GuardedRoute, peer_address
from server.http.problems import of_request_error, problem_response

router = APIRouter(prefix="/v1/widget", route_class=GuardedRoute, tags=["widget"])

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "600",
    "Vary": "Origin",
}


class SessionBody(Closed):
    """Whose widget it is; the session so far, if there is one; and the shop's word on who the customer is."""

    shop: Slug
    session_token: Secret | None = None
    identity_token: Secret | None = None


class WidgetSessionView(View):
    """The customer's session, to be kept by the widget, and a ticket for the socket."""

    session_token: str
    session_expires_at: str
    customer_id: str
    anonymous: bool
    identity: str
    """`accepted`, `absent`, `ignored` (the shop's mode is off), or why it did not hold (mode report)"""
    ticket: str
    ticket_expires_in_s: int


@router.options("/sessions", include_in_schema=False)
async def preflight(request: Request) -> Response:
    """Browsers ask first. Saying yes gives nothing away: no cookies are used, and the session itself checks the origin
    against the shop's list."""
    origin = request.headers.get("origin", "")
    return Response(
        status_code=204, headers={**_PREFLIGHT, "Access-Control-Allow-Origin": origin} if origin else {}
    )


@router.post("/sessions", status_code=201, response_model=WidgetSessionView)
async def begin_session(
    deps: Given, request: Request, response: Response, body: SessionBody
) -> WidgetSessionView | Response:
    """Begin or continue a customer's session.

    An identity token (signed by the shop's backend) makes the customer known, and what they wrote before as an
    anonymous visitor theirs. It works once. From a browser the Origin must be on the shop's widget list.
    """
    origin = request.headers.get("origin", "")
    readable = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}
    try:
        session = await deps.widget.begin(
            body.shop,
            origin=origin,
            address=peer_address(request),
            session_token=body.session_token,
            identity_token=body.identity_token,
        )
    except RequestError as error:
        # Also by a page that is not on the list: its maker has to be told, and the widget has to know that a session is
        # over from there being no network.
        deps.metrics.refused(error)
        return problem_response(of_request_error(error), readable)
    response.headers.update(readable)
    deps.metrics.identity(session.identity)
    return WidgetSessionView(
        session_token=session.session_token,
        session_expires_at=text_of_ms(session.session_until_ms),
        customer_id=session.customer_id,
        anonymous=session.anonymous,
        identity=session.identity,
        ticket=session.ticket.ticket,
        ticket_expires_in_s=session.ticket.ticket_s,
    )
