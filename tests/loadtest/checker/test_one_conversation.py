"""The checker on one conversation: nothing where nothing is wrong, and every lie is found by its invariant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from loadtest.checker import borders, numbers, owners, snapshots, transcripts
from loadtest.checker.rows import Cast, Conversation, Decision, Entry, Talk, Violation
from loadtest.records import Acked, Came, Fresh, Given, Held, Read, Refused, Sent


def entry(seq: int, kind: str, sender: str, name: str, **more: object) -> Entry:
    facts: dict[str, object] = {"customer_seq": seq, "digest": f"say {name}", "event": "", "who": ()}
    return Entry(
        **{
            "seq": seq,
            "message_id": f"id-{name}",
            "kind": kind,
            "sender": sender,
            "name": name,
            "recalled": False,
        }
        | facts
        | more  # type: ignore[arg-type]
    )


def decision(rev: int, change: str, epoch: int, owner: str, previous: str = "") -> Decision:
    return Decision(
        "c", rev, "shop", 1_000 * rev, change, epoch, owner, previous, "any_online", "", "default", 1, 500, ()
    )


@dataclass
class Scene:
    """Ada asks, waits, Lily answers, Max takes over and Lily helps. Everything is as it should be."""

    log: list[Entry] = field(
        default_factory=lambda: [
            entry(1, "customer", "ada", "m1"),
            entry(2, "system", "", "d:1", event="queued"),
            entry(3, "system", "", "d:2", event="assigned"),
            entry(4, "agent", "lily", "m2"),
            entry(5, "system", "", "d:3", event="assigned"),
            entry(6, "system", "", "r1", event="joined", who=("lily",), customer_seq=None),
            entry(7, "agent", "lily", "m3", customer_seq=None),
            entry(8, "agent", "max", "m4", customer_seq=6),
            entry(9, "agent", "lily", "m5", customer_seq=7),
        ]
    )
    decisions: list[Decision] = field(
        default_factory=lambda: [
            decision(1, "queued", 0, ""),
            decision(2, "assigned", 1, "lily"),
            decision(3, "assigned", 2, "max", "lily"),
        ]
    )
    row: Conversation = field(
        default_factory=lambda: Conversation(
            "c", "shop", "ada", "active", "max", 2, 3, 9, 7, 7, 9, frozenset({"lily"})
        )
    )
    talk: Talk = field(default_factory=Talk)
    cast: Cast = field(default_factory=Cast)

    def __post_init__(self) -> None:
        for person, kind in (("ada", "customer"), ("lily", "agent"), ("max", "agent")):
            self.cast.pens[person] = Came(0, person, person, kind, "shop")
        self.cast.stayed |= {"ada", "lily", "max"}
        self.cast.openings.add(("ada", "m1"))
        for each in self.log:
            if each.sender:
                seq = each.customer_seq if each.sender == "ada" else each.seq
                at = 10 * each.seq
                internal = each.customer_seq is None
                if each.name != "m1":
                    self.talk.sent.append(Sent(at, each.sender, "c", each.name, each.digest, internal))
                self.talk.acked.append(
                    Acked(at + 1, each.sender, "c", each.name, seq or 0, each.message_id, False)
                )
        for reader in self.cast.pens:
            self.talk.given[reader] = [
                Given(
                    100 + e.seq,
                    reader,
                    "c",
                    (e.customer_seq or 0) if reader == "ada" else e.seq,
                    e.message_id,
                    e.name,
                    e.digest,
                    e.customer_seq is None,
                )
                for e in self.log
                if reader != "ada" or e.customer_seq is not None
            ]
            for kind, kept in ((Held, self.talk.held), (Fresh, self.talk.fresh)):
                kept.append(kind(0, reader, "c", {"state": "active"}))  # type: ignore[arg-type]
        self.talk.read += [Read(0, "ada", "c", 7), Read(0, "max", "c", 9), Read(0, "lily", "c", 9)]

    def found(self) -> list[Violation]:
        def all_of() -> Iterator[Violation]:
            yield from transcripts.violations(self.row, self.log, self.talk, self.cast)
            yield from numbers.violations(self.row, self.log, self.talk, self.cast)
            yield from owners.violations(self.row, self.log, self.decisions)
            yield from borders.deliveries(self.row, self.talk, self.cast)
            yield from snapshots.violations("c", self.talk, self.cast)

        return list(all_of())


def test_a_conversation_that_went_well_has_no_violations() -> None:
    assert Scene().found() == []


def a_message_is_lost(scene: Scene) -> None:
    del scene.log[8]
    scene.row = scene.row._replace(head=8, customer_head=6, customer_read=6)


def a_message_is_doubled(scene: Scene) -> None:
    scene.log.append(scene.log[8]._replace(seq=10, customer_seq=8, message_id="another"))


def an_answer_names_another_number(scene: Scene) -> None:
    scene.talk.acked[1] = scene.talk.acked[1]._replace(seq=5)


def an_answer_names_another_message(scene: Scene) -> None:
    scene.talk.acked[1] = scene.talk.acked[1]._replace(message_id="another")


def what_was_refused_is_stored(scene: Scene) -> None:
    scene.talk.refused.append(Refused(0, "lily", "c", "m5", 1011, "stale_assignment"))


def other_words_are_stored(scene: Scene) -> None:
    scene.log[3] = scene.log[3]._replace(digest="other words")
    for given in scene.talk.given.values():
        given[3] = given[3]._replace(digest="other words")


def a_note_is_stored_for_everybody(scene: Scene) -> None:
    scene.talk.sent[1] = scene.talk.sent[1]._replace(internal=False)


def nobody_sent_it(scene: Scene) -> None:
    del scene.talk.sent[0]


def what_was_sent_later_is_stored_earlier(scene: Scene) -> None:
    scene.talk.sent[-1] = scene.talk.sent[-1]._replace(at_us=1)
    scene.talk.sent.insert(0, scene.talk.sent.pop())
    scene.talk.acked[-1] = scene.talk.acked[-1]._replace(at_us=2)


def a_delivery_is_dropped(scene: Scene) -> None:
    del scene.talk.given["ada"][3]


def the_last_delivery_is_dropped(scene: Scene) -> None:
    del scene.talk.given["max"][-1]


def everything_is_kept_from_somebody(scene: Scene) -> None:
    del scene.talk.given["lily"]


def a_delivery_is_doubled(scene: Scene) -> None:
    scene.talk.given["max"].append(scene.talk.given["max"][-1])


def two_deliveries_are_swapped(scene: Scene) -> None:
    given = scene.talk.given["max"]
    given[7], given[8] = given[8], given[7]


def other_words_are_delivered(scene: Scene) -> None:
    scene.talk.given["ada"][3] = scene.talk.given["ada"][3]._replace(digest="other words")


def a_note_goes_to_the_customer(scene: Scene) -> None:
    scene.talk.given["ada"].insert(5, scene.talk.given["lily"][6])


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        (a_message_is_lost, "m5 was acknowledged as 9 and is not stored"),
        (a_message_is_doubled, "('lily', 'm5') is stored 2 times"),
        (an_answer_names_another_number, "m2 was acknowledged as 5 (id-m2) and is stored as 4 (id-m2)"),
        (an_answer_names_another_message, "m2 was acknowledged as 4 (another) and is stored as 4 (id-m2)"),
        (what_was_refused_is_stored, "m5 was refused as stale_assignment and is stored all the same"),
        (other_words_are_stored, "m2 does not say what was sent"),
        (a_note_is_stored_for_everybody, "m3 was sent to others than it is stored for"),
        (nobody_sent_it, "m2 is stored and nobody sent it"),
        (what_was_sent_later_is_stored_earlier, "m2 is stored before what its sender sent earlier"),
        (a_delivery_is_dropped, "entry 4 of customer ada (ada) is (5, 'id-d:3', 'd:3'), stored is 4 m2"),
        (the_last_delivery_is_dropped, "agent max (max) stayed to the end and was given 8 of 9"),
        (everything_is_kept_from_somebody, "agent lily (lily) stayed to the end and was given 0 of 9"),
        (a_delivery_is_doubled, "agent max (max) was given 10 entries, stored are 9"),
        (two_deliveries_are_swapped, "entry 8 of agent max (max) is (9, 'id-m5', 'm5'), stored is 8 m4"),
        (other_words_are_delivered, "entry 4 of customer ada (ada) does not say what is stored"),
        (a_note_goes_to_the_customer, "entry 6 of customer ada (ada) is (7, 'id-m3', 'm3'), stored is 8 m4"),
    ],
)
@pytest.mark.req("PF-05")
def test_i1_finds_that(lie: Callable[[Scene], None], says: str) -> None:
    scene = Scene()
    lie(scene)
    assert Violation("I1", "c", says) in scene.found()


def test_what_was_never_answered_may_be_stored_or_not() -> None:
    scene = Scene()
    scene.talk.sent.append(Sent(500, "lily", "c", "m6", "lost?", False))
    scene.talk.refused.append(Refused(501, "lily", "c", "m6", 1051, "no_reply"))
    scene.talk.acked = [acked for acked in scene.talk.acked if acked.name != "m5"]
    assert scene.found() == []


def test_who_left_before_the_end_may_lack_the_end_but_nothing_before_it() -> None:
    scene = Scene()
    scene.cast.stayed.discard("lily")
    scene.talk.given["lily"] = scene.talk.given["lily"][:4]
    assert scene.found() == []
    del scene.talk.given["lily"][1]
    assert [violation.invariant for violation in scene.found()] == ["I1"]


def a_number_is_left_out(scene: Scene) -> None:
    scene.log[8] = scene.log[8]._replace(seq=10)


def the_customers_number_is_left_out(scene: Scene) -> None:
    scene.log[8] = scene.log[8]._replace(customer_seq=8)


def the_head_is_behind(scene: Scene) -> None:
    scene.row = scene.row._replace(head=8)


def a_read_mark_went_back(scene: Scene) -> None:
    scene.row = scene.row._replace(customer_read=6)


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        (a_number_is_left_out, "entry 9 of the log has the number 10"),
        (the_customers_number_is_left_out, "entry 7 of the customer's log has the number 8"),
        (the_head_is_behind, "the log has 9 entries, and is said to have 8"),
        (a_read_mark_went_back, "read up to 7 by ada, and marked up to 6"),
    ],
)
@pytest.mark.req("PF-05")
def test_i2_finds_that(lie: Callable[[Scene], None], says: str) -> None:
    scene = Scene()
    lie(scene)
    assert Violation("I2", "c", says) in scene.found()


def a_stale_owner_writes(scene: Scene) -> None:
    scene.log[5] = scene.log[5]._replace(event="invited")


def a_stranger_writes(scene: Scene) -> None:
    scene.log[7] = scene.log[7]._replace(sender="bob")


def the_epoch_stays(scene: Scene) -> None:
    scene.decisions[2] = scene.decisions[2]._replace(epoch=1)


def a_decision_is_lost(scene: Scene) -> None:
    del scene.decisions[1]


def a_decision_is_not_in_the_log(scene: Scene) -> None:
    scene.log[4] = scene.log[4]._replace(name="d:4")


def another_owner_is_in_the_row(scene: Scene) -> None:
    scene.row = scene.row._replace(owner="lily")


def it_lives_after_its_end(scene: Scene) -> None:
    scene.decisions[1] = scene.decisions[1]._replace(change="closed")


def two_owners_at_once(scene: Scene) -> None:
    scene.decisions[2] = scene.decisions[2]._replace(previous_owner="bob")


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        (a_stale_owner_writes, "lily wrote 9 while max had it"),
        (a_stranger_writes, "bob wrote 8 while max had it"),
        (the_epoch_stays, "epoch 1 after 1, and its owner changed"),
        (a_decision_is_lost, "its decisions are numbered [1, 3]"),
        (a_decision_is_not_in_the_log, "its log tells of the decisions [1, 2, 4], made were [1, 2, 3]"),
        (
            another_owner_is_in_the_row,
            "is ('lily', 2, 3, 'active'), its last decision says ('max', 2, 3, 'active')",
        ),
        (it_lives_after_its_end, "assigned after it was closed"),
        (two_owners_at_once, "taken from bob, who was not its owner"),
    ],
)
@pytest.mark.req("PF-05")
def test_i3_finds_that(lie: Callable[[Scene], None], says: str) -> None:
    scene = Scene()
    lie(scene)
    assert Violation("I3", "c", says) in scene.found()


@pytest.mark.req("PF-05")
def test_i5_finds_what_went_to_another_shop() -> None:
    scene = Scene()
    scene.cast.pens["lily"] = scene.cast.pens["lily"]._replace(shop="next door")
    assert scene.found() == [Violation("I5", "c", "is of shop shop, and was given to lily of next door")]
    owners_of = {"max": "shop", "their group": "next door"}
    assert list(borders.sightings("shop", ["max", "their group", "a session"], owners_of)) == [
        Violation("I5", "their group", "is of shop next door, and was shown to somebody of shop")
    ]


@pytest.mark.req("PF-05")
def test_i7_finds_what_events_did_not_tell() -> None:
    scene = Scene()
    scene.talk.held[0].facts["state"] = "queued"
    assert scene.found() == [Violation("I7", "c", "ada has state 'queued', a fresh snapshot 'active'")]
    scene.talk.held.pop(0)
    assert scene.found() == [Violation("I7", "c", "ada knows it only by a fresh snapshot")]
