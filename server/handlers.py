"""Which service answers which request. The rights are in `protocol.methods`; this is only the switchboard."""

from functools import cache

from protocol.methods.session import DiscoverResult, Nothing
from protocol.schema import openrpc
from server.services.agents import Agents
from server.services.conversations import ConversationRequests
from server.services.ending_requests import EndRequests
from server.services.files import FileRequests
from server.services.handing_over import HandingOver
from server.services.list_feed import ListFeed
from server.services.messages import Messages
from server.services.screens import Screens
from server.services.targets import Targets
from server.session import Handlers, NoticeHandlers, Session
from server.storeys.supervision_parts import SupervisionParts
from server.storeys.together_parts import TogetherParts
from server.storeys.work_parts import WorkParts


def handlers(
    conversations: ConversationRequests,
    ending: EndRequests,
    messages: Messages,
    agents: Agents,
    handing_over: HandingOver,
    targets: Targets,
    files: FileRequests,
    supervision: SupervisionParts,
    screens: Screens,
    work: WorkParts,
    together: TogetherParts,
    lists: ListFeed,
) -> Handlers:
    """Method name -> handler, for all methods but those of the session itself (the gateway's own)."""
    return {
        "rpc.discover": _discover,
        "item.add": work.items.add,
        "item.change": work.items.change,
        "item.remove": work.items.remove,
        "item.list": work.items.listing,
        "collaboration.list": work.collaborations.listing,
        "alarm.acknowledge": work.alarms.acknowledge,
        "screen.ask": screens.ask,
        "screen.offer": screens.offer,
        "screen.answer": screens.answer,
        "screen.signal": screens.signal,
        "screen.stop": screens.stop,
        "file.upload": files.upload,
        "file.link": files.link,
        "message.send": messages.send,
        "message.recall": messages.recall,
        "message.history": messages.history,
        "read.mark": messages.mark_read,
        "conversation.open": conversations.open,
        "conversation.end": ending.end,
        "conversation.reopen": ending.reopen,
        "conversation.tag": ending.tag,
        "conversation.choices": ending.choices,
        "conversation.transfer": handing_over.transfer,
        "conversation.assign": handing_over.assign,
        "conversation.pull": handing_over.pull,
        "conversation.requeue": handing_over.requeue,
        "conversation.hand_off": conversations.hand_off,
        "conversation.list": conversations.listing,
        "conversation.follow": lists.follow,
        "conversation.get": conversations.get,
        "conversation.earlier": conversations.earlier,
        "conversation.rate": ending.rate,
        "conversation.leave_queue": conversations.leave_queue,
        "conversation.explain": conversations.explain,
        "agent.set_status": agents.set_status,
        "agent.set_capacity": agents.set_capacity,
        "agent.list": agents.everyone,
        "agent.slots": agents.slots,
        "agent.targets": targets.targets,
        "participant.invite": together.participants.invite,
        "participant.join": together.participants.join,
        "participant.decline": together.participants.decline,
        "participant.leave": together.participants.leave,
        "participant.remove": together.participants.remove,
        "participant.invitations": together.participants.invitations,
        "note.send": together.notes.send,
        "mention.list": together.naming.listing,
        "mention.read": together.naming.read,
        "monitor.subscribe": supervision.walls.subscribe,
        "monitor.unsubscribe": supervision.walls.unsubscribe,
        "monitor.watch": supervision.requests.watch,
        "monitor.unwatch": supervision.requests.unwatch,
        "monitor.whisper": supervision.requests.whisper,
        "monitor.speak": supervision.requests.speak,
        "monitor.take_over": supervision.requests.take_over,
    }


def notices(together: TogetherParts) -> NoticeHandlers:
    """Notifications of clients -> handler."""
    return {"typing.set": together.drafts.typing}


async def _discover(_session: Session, _params: Nothing) -> DiscoverResult:
    return _document()


@cache
def _document() -> DiscoverResult:
    """Made once: it is the same for everybody, and far dearer than any other answer."""
    return DiscoverResult.model_validate(openrpc())
