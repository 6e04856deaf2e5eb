"""The whole table of faults and invariants, as the page of reliability shows it. Pure data.

Faults that `FAULTS` has are injected; of the others the tests that prove them are named.
"""

from dataclasses import dataclass
from typing import Final

INVARIANTS: Final = {
    "I1": "an acknowledged message is in PostgreSQL exactly once, and every party's transcript equals PostgreSQL's "
    "order (less what is not for them)",
    "I2": "`seq` per conversation is 1..n without holes",
    "I3": "a conversation has at most one owner; `assign_epoch` only grows; a stale owner's writes are refused with "
    "1011 and the draft is not lost",
    "I4": "an agent's load is the number of slots held; automatic routing never exceeds capacity but where a rule "
    "says so",
    "I5": "nothing crosses shops: no event, no id, no existence",
    "I6": "memory and tasks return to their baseline after any storm",
    "I7": "old snapshot + events = fresh snapshot, for every action of every role",
    "I8": "a waiting conversation is in exactly one pool, keeps its first arrival time, and is never passed over by a "
    "later one of the same class that the same agents could take",
    "I9": "nobody who is offline, excluded or out of scope is given anything automatically",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One fault of the specification."""

    number: int
    fault: str
    must_hold: str
    tests: tuple[str, ...] = ()
    options: str = ""
    """of `make chaos`, for what the specification asks"""
    command: str = ""
    """another one, that does more of it"""


TABLE: Final = (
    Row(
        1,
        "kill -9 a gateway under load",
        "I1-I4; clients resume elsewhere within 10 s (p99); nobody offline inside the grace",
    ),
    Row(2, "gateway frozen 20 s, then continues", "refused as fenced, I3; its sockets closed with 4203"),
    Row(3, "Redis killed, restarted with its AOF", "I1-I4; routing resumes within 5 s"),
    Row(
        4,
        "Redis killed, restarted empty",
        "epoch change seen within 5 s; rebuilt; queues keep their order; I1-I4, I8",
    ),
    Row(
        5,
        "Redis frozen 3 s, 60 s",
        "no script applied twice; no handler blocked over 2 s; sends still acknowledged",
    ),
    Row(6, "one gateway cut from Redis 5 s, 60 s", "I1; 60 s: fences itself, clients resume elsewhere"),
    Row(7, "a cut longer than the node stream holds", "jump of `n` seen, resync, I1"),
    Row(8, "PostgreSQL restarted (immediate)", "1051 retried; I1, I2"),
    Row(
        9,
        "PostgreSQL frozen; pool exhausted",
        "every request answered within its deadline; nothing leaks; sockets stay",
    ),
    Row(10, "COMMIT done, reply lost", "the resend gives `duplicate: true`, one row"),
    Row(
        11,
        "crash between commit and delivery; between claim and confirm",
        "delivered, finished within 3 s by another node",
        ("tests/loadtest/test_unsent.py",),
    ),
    Row(12, "client half-open", "aborted within 40 s, grace starts"),
    Row(
        13,
        "client that stops reading",
        "others' p99 unchanged; freed within 15 s; memory bounded; resumes without loss",
    ),
    Row(
        14,
        "reconnect storm, 5,000 sockets",
        "no overload of PostgreSQL; spread by backoff; presence pushes at most 2 per agent",
        options=" SOCKETS=5000",
    ),
    Row(
        15,
        "deploy: SIGTERM under load, nodes one after another",
        "no 1006, waves within the rate, I1, exit within 30 s, nobody re-routed",
    ),
    Row(16, "the same send ten times, in parallel, on two nodes", "one row, one `seq`; another body: 1010"),
    Row(
        17,
        "races of two who want the same; 10,000 seeds",
        "I3, I4, I8; exactly one winner, the other told",
        command="make races",
    ),
    Row(18, "clocks of processes off by 5 min", "leases unaffected"),
    Row(19, "gap, reorder, duplicate in the node stream", "transcripts equal PostgreSQL"),
    Row(
        20,
        "poison frames: bad UTF-8, deep JSON, huge ints, wrong types; fuzzed from the schema",
        "typed error or close; never a traceback; the node lives",
        ("tests/scenarios/test_poison.py", "tests/protocol/test_codec.py"),
    ),
    Row(
        21,
        "oversized frames, 10,000 fragments, ping flood",
        "closed; memory flat",
        ("tests/server/gateway/test_slow_readers.py",),
    ),
    Row(
        22,
        "slowloris: silent socket, half header, byte per second, no hello",
        "dropped within 5 s; others get in",
        ("tests/server/gateway/test_door.py",),
    ),
    Row(
        23,
        "token expires in mid-session; refresh with another subject; revoked account",
        "refreshed, or 4101 / 4001; nothing delivered later than 1 s after revocation",
        ("tests/scenarios/test_revocation.py", "tests/server/gateway/test_session.py"),
    ),
    Row(
        24,
        "ticket replayed, on another origin, concurrently",
        "exactly one hello succeeds",
        ("tests/server/http/test_tickets.py",),
    ),
    Row(
        25,
        "JWT: alg none, HS/RS mix, wrong kid, aud, iss, tampered, future iat, another shop's key",
        "401",
        ("tests/server/http/test_tokens.py", "tests/server/http/test_widget.py"),
    ),
    Row(
        26,
        "cross-site WebSocket: foreign, null, missing, suffix-trick Origin",
        "403 before accept",
        ("tests/server/gateway/test_door.py", "tests/server/http/test_widget.py"),
    ),
    Row(
        27,
        "every method and route x every kind of id of another shop",
        "always 1004 / 404, no push",
        ("tests/server/http/test_rights.py", "tests/scenarios/test_rights_matrix.py"),
    ),
    Row(
        28,
        "every method and route x every role",
        "deny by default; audit row",
        ("tests/server/http/test_rights.py", "tests/scenarios/test_rights_matrix.py"),
    ),
    Row(
        29,
        "markup, bidi and zero-width text in names, messages, file names, in a real browser",
        "stored verbatim, shown as text; exports escaped",
        ("tests/browser/test_visitor_walk.py", "tests/server/http/test_conversation_lines.py"),
    ),
    Row(
        30,
        "uploads: type lie, polyglot, zip bomb, path in the name, over size, replayed grant",
        "refused, or served as attachment with nosniff",
        ("tests/server/http/test_files.py", "tests/server/services/test_file_types.py"),
    ),
    Row(
        31,
        "logs searched for tokens and message text after the suite",
        "none",
        ("tests/scenarios/test_no_trace.py",),
    ),
    Row(
        32,
        "old and new version side by side during an upgrade",
        "unknown members ignored, I1-I4",
        ("tests/protocol/test_client_events.py", "tests/server/store/test_schema.py"),
    ),
    Row(
        33,
        "brute force on sign-in, tickets (verification codes do not exist yet)",
        "limited per account and address, told with 429 and time",
        ("tests/server/http/test_sign_in.py", "tests/server/http/test_tickets.py"),
    ),
)
