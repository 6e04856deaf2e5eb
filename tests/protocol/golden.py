"""Golden frames: what a server says, and what any client of ours knows after it. One file per story in `golden/`.

The stories are told here, the outcome is what the reference client makes of them. `python -m tests.protocol.golden`
writes the files, which the web client's tests read too (`web/shared/test/golden.test.ts`). So both reduce alike.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from protocol.client.logs import Log
from protocol.client.view import View
from protocol.codec import NotificationFrame, decode_server
from protocol.methods.session import HelloResult
from protocol.shapes import Message
from tests.protocol.script import T, conversation, message, session

FOLDER: Final = Path(__file__).parent / "golden"
LATER: Final = "2026-11-22T08:05:00.000Z"
Frame = tuple[str, dict[str, Any]]

BOB: Final = {"kind": "agent", "id": "a2", "name": "Bob"}
ANN: Final = {"kind": "agent", "id": "a1", "name": "Ann"}


def changed(name: str, **members: Any) -> Frame:
    return name, {"conversation": conversation(**members)}


def agent(account: str, **members: Any) -> dict[str, Any]:
    return {
        "account_id": account,
        "name": account,
        "status": "online",
        "connected": True,
        "counted_offline": False,
        "availability": "has_room",
        "load": 0,
        "capacity": 5,
        **members,
    }


def item(rev: int, **members: Any) -> Frame:
    facts = {"item_id": "i1", "conversation_id": "c1", "text": "send a label", "by": ANN, "created_at": T}
    return "item.changed", {"item": {**facts, "rev": rev, **members}}


CUSTOMER: Final = {"kind": "customer", "id": "k1"}
STORIES: Final[dict[str, tuple[dict[str, Any], Sequence[Frame]]]] = {
    "a_served_conversation": (
        session(),
        [
            changed("conversation.assigned", rev=3, head=2),
            ("message.created", message(3, "hello")),
            ("message.created", message(4, "hi", sender=ANN)),
            ("message.created", message(3, "hello")),
            ("read.advanced", {"conversation_id": "c1", "side": "customer", "seq": 4}),
            ("read.advanced", {"conversation_id": "c1", "side": "customer", "seq": 3}),
            ("message.updated", message(4, "hi", sender=ANN, body=None, rev=1, recalled_at=LATER)),
            changed("conversation.ended", rev=9, head=5, state="wrap_up"),
            changed("conversation.assigned", rev=3, head=2),
        ],
    ),
    "out_of_order": (
        session(conversation(rev=1, head=0)),
        [
            ("message.created", message(2)),
            ("message.created", message(4)),
            ("message.created", message(1)),
            ("message.created", message(3)),
            changed("conversation.updated", rev=8, head=4),
            changed("conversation.updated", rev=6, head=3, order_state="after_sale"),
        ],
    ),
    "waiting_in_the_queue": (
        session(me={"person": CUSTOMER, "shop_id": "shop", "shop_name": "Shop", "roles": ["customer"]}),
        [
            changed(
                "conversation.queued",
                rev=2,
                head=1,
                state="queued",
                owner=None,
                queue={"pool": "default", "place": 3, "length": 4, "reason": "all_full", "waiting_since": T},
            ),
            (
                "queue.moved",
                {"conversation_id": "c1", "pool": "default", "place": 1, "length": 2, "reason": "all_full"},
            ),
            changed("conversation.assigned", rev=4, head=2),
        ],
    ),
    "given_away_and_followed": (
        session(conversation(rev=4, head=3)),
        [
            changed(
                "conversation.assigned",
                rev=6,
                head=5,
                owner=BOB,
                assign_epoch=2,
                participants=[{"person": ANN, "role": "collaborator"}],
            ),
            (
                "note.created",
                message(6, sender=BOB, internal=True, body={"kind": "note", "text": "thanks"}),
            ),
            changed("conversation.updated", rev=8, head=7, owner=BOB, assign_epoch=2, participants=[]),
        ],
    ),
    "said_before_its_conversation_is_known": (
        session(),
        [
            ("message.created", message(3, "where is it?")),
            ("message.created", message(4, "hello?")),
            changed("conversation.assigned", rev=5, head=2, customer_messages=1),
        ],
    ),
    "a_state_older_than_what_was_said": (
        session(conversation(rev=1, head=0)),
        [
            ("message.created", message(1, "where is it?")),
            ("message.created", message(2, "on its way", sender=ANN)),
            ("message.created", message(3, "when?")),
            changed("conversation.updated", rev=3, head=2, customer_messages=1, answered=True),
        ],
    ),
    "a_note_does_not_answer_the_customer": (
        session(conversation(rev=1, head=0)),
        [
            ("message.created", message(1, "still there?")),
            ("note.created", message(2, sender=BOB, internal=True, body={"kind": "note", "text": "mine?"})),
        ],
    ),
    "unread_and_last_words": (
        session(conversation(rev=1, head=2, customer_messages=2, customer_messages_read=1)),
        [
            ("message.created", message(3, "anybody?")),
            (
                "message.created",
                message(4, sender={"kind": "system"}, body={"kind": "system", "event": "assigned"}),
            ),
            ("read.advanced", {"conversation_id": "c1", "side": "staff", "seq": 2, "customer_messages": 2}),
            changed("conversation.updated", rev=3, head=2, customer_messages=2, customer_messages_read=1),
            ("message.created", message(5, "hello?")),
            ("message.updated", message(5, "hello?", body=None, rev=1, recalled_at=LATER)),
            (
                "conversation.assigned",
                {
                    "conversation": conversation(
                        "c2",
                        rev=4,
                        head=7,
                        customer_messages=3,
                        last_message=message(6, "still me", conversation="c2"),
                    )
                },
            ),
        ],
    ),
    "invited_named_and_watching": (
        session(
            snapshot={
                "conversations": [conversation("c2", rev=1, owner=BOB)],
                "watching": ["c2"],
                "rights": {"conversation.watch": "groups"},
            }
        ),
        [
            (
                "invitation.received",
                {
                    "invitation": {
                        "conversation_id": "c1",
                        "by": BOB,
                        "at": T,
                        "expires_at": LATER,
                        "customer": {"customer_id": "k1"},
                    }
                },
            ),
            ("invitation.ended", {"conversation_id": "c1"}),
            *(
                (
                    "mention.changed",
                    {
                        "mention": {
                            "conversation_id": "c2",
                            "message_id": name,
                            "seq": 1,
                            "by": BOB,
                            "text": "look",
                            "at": T,
                            "read_at": read,
                        }
                    },
                )
                for name, read in (("m1", None), ("m2", None), ("m1", LATER))
            ),
            ("rights.changed", {"rights": {"conversation.watch": "all"}}),
            (
                "workbench.changed",
                {
                    "workbench": {
                        "recall_within_s": 120,
                        "slow_reply_s": 100,
                        "first_reply_s": 180,
                        "each_reply_s": 180,
                        "vip_tags": ["VIP"],
                        "groups": [{"group_id": "g1", "name": "Refunds", "order_states": ["after_sale"]}],
                    }
                },
            ),
            ("monitor.watching", {"watching": []}),
            (
                "queue.changed",
                {
                    "pools": [
                        {
                            "pool": "default",
                            "length": 2,
                            "oldest_at": T,
                            "groups": [],
                            "open_to_everybody": True,
                        }
                    ]
                },
            ),
        ],
    ),
    "work_and_alarms": (
        session(conversation(rev=1)),
        [
            item(1),
            item(3, done=True, done_at=LATER),
            item(2, owner=BOB),
            (
                "alarm.changed",
                {
                    "alarm": {
                        "alarm_id": "l1",
                        "rev": 1,
                        "kind": "customer_waits",
                        "conversation_id": "c1",
                        "since": T,
                        "raised_at": LATER,
                    }
                },
            ),
            ("agent.changed", {"agent": agent("a1", load=2)}),
            ("agent.changed", {"agent": agent("a1", load=3, status="paused", availability="paused")}),
        ],
    ),
}


def told(hello: dict[str, Any], frames: Sequence[Frame]) -> dict[str, Any]:
    """The story as it goes over the wire, every member written out, and what is known at its end."""
    view, logs = View(), dict[str, Log]()
    result = HelloResult.model_validate(hello, strict=False)
    view.begin(result)
    for each in result.snapshot.conversations:
        logs[each.conversation_id] = Log(each.head_seq, keep=True)
    written: list[dict[str, Any]] = []
    for name, params in frames:
        frame = _decoded(name, params)
        written.append({"method": name, "params": frame.params.model_dump(mode="json")})
        if isinstance(frame.params, Message):
            log = logs.setdefault(frame.params.conversation_id, Log(frame.params.seq - 1, keep=True))
            if name == "message.updated":
                if log.update(frame.params):
                    view.changed(frame.params)
                continue
            for message_ in log.take(frame.params):
                view.said(message_)
        else:
            view.apply(frame.params)
    return {
        "hello": result.model_dump(mode="json"),
        "frames": written,
        "known": {
            "conversations": _plain(view.conversations),
            "snapshot": [each.conversation_id for each in view.snapshot()],
            "agents": _plain(view.agents),
            "watching": sorted(view.watching),
            "invitations": _plain(view.invitations),
            "mentions": _plain(view.mentions),
            "rights": view.rights,
            "pools": [each.model_dump(mode="json") for each in view.pools],
            "workbench": None if view.workbench is None else view.workbench.model_dump(mode="json"),
            "items": _plain(view.items),
            "alarms": _plain(view.alarms),
            "logs": {key: [each.seq for each in log.messages] for key, log in sorted(logs.items())},
        },
    }


def _decoded(name: str, params: dict[str, Any]) -> NotificationFrame:
    frame = decode_server(orjson.dumps({"jsonrpc": "2.0", "method": name, "params": params}))
    assert isinstance(frame, NotificationFrame)
    return frame


def _plain(shapes: dict[str, Any]) -> dict[str, Any]:
    return {key: shapes[key].model_dump(mode="json") for key in sorted(shapes)}


def as_file(story: str) -> bytes:
    """The file of a story."""
    return orjson.dumps(told(*STORIES[story]), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in STORIES:
        (FOLDER / f"{name}.json").write_bytes(as_file(name))
