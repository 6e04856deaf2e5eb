"""The checker of transcripts: it finds each thing that can go wrong, and nothing where nothing is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.invariants import Entry, Journal, Sent, violations

STORED = (
    Entry(1, "id-1", "m-hello", "hello"),
    Entry(2, "id-2", "d:1", ""),
    Entry(3, "id-3", "m-answer", "good morning"),
    Entry(4, "id-4", "m-bye", "bye"),
)


def journal() -> Journal:
    """What the people of `STORED` did and heard when everything went well."""
    return Journal(
        sent={
            "customer": [Sent("m-hello", "hello", 1, "id-1"), Sent("m-bye", "bye", 4, "id-4")],
            "agent": [Sent("m-answer", "good morning", 3, "id-3")],
        },
        heard={"customer": STORED, "agent": STORED, "former agent": STORED[:2]},
        whole={"customer", "agent"},
    )


def test_a_conversation_that_went_well_has_no_violations() -> None:
    assert violations(STORED, journal()) == []


def test_customers_count_without_what_colleagues_say_among_themselves() -> None:
    note = Entry(2, "id-n", "m-note", "psst", internal=True)
    stored = (STORED[0], note, *(replace(entry, seq=entry.seq + 1) for entry in STORED[1:]))
    talk = Journal(
        sent={
            "customer": [Sent("m-bye", "bye", 4, "id-4")],
            "agent": [Sent("m-answer", "good morning", 4, "id-3")],
        },
        heard={"customer": STORED, "agent": stored},
        whole={"customer", "agent"},
        customers={"customer"},
    )
    assert violations(stored, talk) == []
    talk.heard["customer"] = stored
    assert violations(stored, talk) == [f"I1: entry 2 of customer is {note}, stored is {STORED[1]}"]


def test_an_unanswered_send_may_be_stored_or_not() -> None:
    doubtful = journal()
    doubtful.sent["customer"].append(Sent("m-lost", "are you there?"))
    assert violations(STORED, doubtful) == []
    doubtful.sent["customer"][1] = Sent("m-bye", "bye")
    assert violations(STORED, doubtful) == []


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ((*STORED[:3], replace(STORED[3], seq=5)), "I2: entry 4 of the stored log has seq 5"),
        (STORED[1:], "I2: entry 1 of the stored log has seq 2"),
        ((*STORED, replace(STORED[3], seq=5)), "I1: message_id id-4 is stored 2 times"),
        ((*STORED, replace(STORED[3], seq=5, message_id="id-5")), "I1: name m-bye is stored 2 times"),
        (STORED[:3], "I1: customer's m-bye was acknowledged as 4 and is not stored"),
        (
            (*STORED[:3], replace(STORED[3], text="by")),
            "I1: customer's m-bye says 'by' and was sent as 'bye'",
        ),
        (
            (*STORED[:3], replace(STORED[3], message_id="id-9")),
            "I1: customer's m-bye was acknowledged as 4 (id-4) and is stored as 4 (id-9)",
        ),
    ],
    ids=[
        "a hole",
        "a lost beginning",
        "a doubled entry",
        "a doubled send",
        "a lost message",
        "another text",
        "another id",
    ],
)
def test_what_is_stored_wrongly_is_found(stored: tuple[Entry, ...], says: str) -> None:
    assert says in violations(stored, journal())


def test_a_sender_finds_their_messages_in_the_order_of_sending() -> None:
    swapped = journal()
    swapped.sent["customer"].reverse()
    assert violations(STORED, swapped) == ["I1: customer's m-hello is stored before what they sent earlier"]


@pytest.mark.parametrize(
    ("reader", "heard", "says"),
    [
        ("customer", STORED[:3], "I1: customer stayed to the end and has 3 of 4 entries"),
        ("agent", (*STORED, STORED[3]), "I1: agent has 5 entries, stored are 4"),
    ],
    ids=["the last one lost", "one doubled"],
)
def test_what_was_heard_wrongly_is_found(reader: str, heard: tuple[Entry, ...], says: str) -> None:
    wrong = journal()
    wrong.heard[reader] = heard
    assert violations(STORED, wrong) == [says]


def test_an_entry_lost_in_the_middle_is_found_in_a_former_owners_log_too() -> None:
    wrong = journal()
    wrong.heard["former agent"] = (STORED[0], STORED[2])
    assert violations(STORED, wrong) == [f"I1: entry 2 of former agent is {STORED[2]}, stored is {STORED[1]}"]
