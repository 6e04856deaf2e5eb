"""What the documents say about the protocol as a whole, its codes and its limits."""

from protocol.codes import CloseCode, ErrorCode

TITLE = "Pointsman"
INTRODUCTION = (
    "Customer-service chat over one WebSocket: JSON-RPC 2.0, one object per text frame, params by name, no batches. "
    "Requests come from clients only; the server replies and notifies."
)

ERRORS: dict[ErrorCode, str] = {
    ErrorCode.PARSE_ERROR: "Not UTF-8, or not JSON.",
    ErrorCode.INVALID_REQUEST: "JSON, but not a frame of this protocol.",
    ErrorCode.METHOD_NOT_FOUND: "No such request.",
    ErrorCode.INVALID_PARAMS: "Wrong params; `detail` lists `{field, problem}`.",
    ErrorCode.INTERNAL_ERROR: "A fault of the server; it is on record there.",
    ErrorCode.UNAUTHENTICATED: "No session, or a ticket that is used up or expired.",
    ErrorCode.FORBIDDEN: "The caller's role or scope does not allow it.",
    ErrorCode.NOT_FOUND: "It does not exist for this caller.",
    ErrorCode.CONFLICT: "It contradicts something that holds now.",
    ErrorCode.IDEMPOTENCY_CONFLICT: "This client message id was used for another body.",
    ErrorCode.STALE_ASSIGNMENT: "The conversation changed hands; the text was not stored.",
    ErrorCode.INVALID_STATE: "Not in the state that the thing is in now.",
    ErrorCode.RATE_LIMITED: "Too many requests; try again after `retry_after_ms`.",
    ErrorCode.UNAVAILABLE: "Not now; nothing was done. Repeat the request unchanged.",
    ErrorCode.COMMIT_UNKNOWN: "Done or not done is unknown. Repeat the request unchanged.",
}
CLOSES: dict[CloseCode, str] = {
    CloseCode.BAD_PROTOCOL: "The client does not speak this protocol.",
    CloseCode.AUTH_FAILED: "Not signed in, or not any more.",
    CloseCode.REPLACED: "The same session was resumed elsewhere.",
    CloseCode.SHOP_SUSPENDED: "The shop is suspended.",
    CloseCode.BLOCKED: "This person is blocked.",
    CloseCode.UNSUPPORTED_VERSION: "The server does not speak this version.",
    CloseCode.TOO_MANY_CONNECTIONS: "This person has too many connections.",
    CloseCode.INTERNAL: "A fault of the server.",
    CloseCode.TOKEN_EXPIRED: "The session was not refreshed in time.",
    CloseCode.HELLO_TIMEOUT: "No `session.hello` in time.",
    CloseCode.RATE_ABUSE: "Rate limits were ignored for long.",
    CloseCode.OVERLOAD: "The node has no room.",
    CloseCode.SLOW_CONSUMER: "The client reads too slowly.",
    CloseCode.NO_HEARTBEAT: "Nothing was heard from the client for too long.",
    CloseCode.DRAINING: "The node is being replaced.",
    CloseCode.LEASE_LOST: "The node lost touch with the others.",
}
