"""Which service answers which request. The rights are in `protocol.methods`; this is only the switchboard."""

from functools import cache

from protocol.methods.session import DiscoverResult, Nothing
from protocol.schema import openrpc
from server.services.agents import Agents
from server.services.conversations import ConversationRequests
from server.services.messages import Messages
from server.session import Handlers, NoticeHandlers, Session


def handlers(conversations: ConversationRequests, messages: Messages, agents: Agents) -> Handlers:
    """Method name -> handler, for all methods but those of the session itself (the gateway's own)."""
    return {
        "rpc.discover": _discover,
        "message.send": messages.send,
        "message.recall": messages.recall,
        "message.history": messages.history,
        "read.mark": messages.mark_read,
        "conversation.open": conversations.open,
        "conversation.end": conversations.end,
        "conversation.reopen": conversations.reopen,
        "conversation.transfer": conversations.transfer,
        "conversation.assign": conversations.assign,
        "conversation.pull": conversations.pull,
        "conversation.requeue": conversations.requeue,
        "conversation.hand_off": conversations.hand_off,
        "conversation.list": conversations.listing,
        "conversation.get": conversations.get,
        "conversation.rate": conversations.rate,
        "conversation.leave_queue": conversations.leave_queue,
        "conversation.explain": conversations.explain,
        "agent.set_status": agents.set_status,
        "agent.set_capacity": agents.set_capacity,
        "agent.list": agents.everyone,
        "agent.slots": agents.slots,
    }


def notices(messages: Messages) -> NoticeHandlers:
    """Notifications of clients -> handler."""
    return {"typing.set": messages.typing}


async def _discover(_session: Session, _params: Nothing) -> DiscoverResult:
    return _document()


@cache
def _document() -> DiscoverResult:
    """Made once: it is the same for everybody, and far dearer than any other answer."""
    return DiscoverResult.model_validate(openrpc())
