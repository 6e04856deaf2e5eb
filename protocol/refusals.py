"""How the codec refuses: one function per fault of a frame, with its reason and its words."""

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.events import EVENTS
from protocol.limits import DEPTH_MAX, ID_MAX_CHARS, PARTS_MAX
from protocol.problems import PROBLEMS_MAX, Problem, shown


def invalid(reason: str, message: str) -> RequestError:
    """The frame is JSON, but not a frame of this protocol."""
    return RequestError(ErrorCode.INVALID_REQUEST, reason, message)


def bad_id() -> RequestError:
    """The id is null, a fraction, a truth value, too long or too large."""
    return invalid(
        "bad_id", f"`id` must be a string of 1 to {ID_MAX_CHARS} characters or an integer below 2^53."
    )


def too_deep() -> RequestError:
    """Deeper than `DEPTH_MAX`."""
    return invalid("too_deep", f"The frame is nested deeper than {DEPTH_MAX} levels.")


def too_many_parts() -> RequestError:
    """More objects and arrays than `PARTS_MAX`."""
    return invalid("too_many_parts", f"The frame has more than {PARTS_MAX} objects and arrays.")


def too_large(limit_bytes: int) -> RequestError:
    """Longer than a frame may be."""
    return invalid("frame_too_large", f"A frame must be at most {limit_bytes} bytes.")


def not_utf8() -> RequestError:
    """Bytes that are not UTF-8, or text that cannot become UTF-8."""
    return RequestError(ErrorCode.PARSE_ERROR, "not_utf8", "The frame is not valid UTF-8.")


def no_method(name: str) -> RequestError:
    """Unknown, or a notification that was sent with an id."""
    if name in EVENTS:
        message = f"`{name}` is a notification: it has no `id` and no reply, and only its own side sends it."
    else:
        message = f"There is no method `{shown(name)}`."
    return RequestError(ErrorCode.METHOD_NOT_FOUND, "method_not_found", message)


def invalid_params(found: list[Problem]) -> RequestError:
    """Params that the method does not take; `found` is not empty."""
    first = found[0]
    where = f"`{first['field']}`" if first["field"] else "params"
    message = f"{where} {first['problem']}."
    return RequestError(ErrorCode.INVALID_PARAMS, "invalid_params", message, detail=found[:PROBLEMS_MAX])
