import { type Conversation, Log, type Message, reduce, type View } from "@pointsman/shared";
import { describe, expect, it } from "vitest";
import { clockOf, inOrder, later, listed, slowReplies, unread, waitLevel, waitsSince } from "../src/state/workLists";

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString();
const NOW = Date.parse(at(30));

function conversation(id: string, more: Partial<Conversation> = {}): Conversation {
  return {
    conversation_id: id, rev: 1, state: "active", order_state: "after_sale", order_id: null, queue: null,
    customer: { customer_id: `c-${id}`, name: id, anonymous: false, new_customer_priority: false, tags: [], owner: null },
    owner: { kind: "agent", id: "me", name: "Lin" }, assign_epoch: 1, opened_at: at(0), arrived_at: at(0),
    assigned_at: at(0), wrap_up_until: null, closed_at: null, answers_later: false, head_seq: 0,
    read_by_customer: 0, read_by_staff: 0, waiting_since: null, last_message: null, rating: null,
    participants: [], watchers: [], work: null, ...more,
  };
}

function message(seq: number, kind: "customer" | "agent" = "customer"): Message {
  return {
    conversation_id: "a", seq, message_id: `m${seq}`, client_message_id: null, sender: { kind, id: kind, name: kind },
    body: { kind: "text", text: `${seq}` }, created_at: at(seq), recalled_at: null, rev: 1, internal: false,
  };
}

const ids = (list: readonly Conversation[]): string[] => list.map((each) => each.conversation_id);
const view = (...all: Conversation[]): View => ({
  ...reduce.EMPTY,
  conversations: Object.fromEntries(all.map((each) => [each.conversation_id, each])),
});

describe("how long a customer waits", () => {
  it("is calm below two minutes, a warning up to ten, then late", () => {
    expect(waitLevel(at(29), NOW)).toBe("calm");
    expect(waitLevel(at(28), NOW)).toBe("warn");
    expect(waitLevel(at(21), NOW)).toBe("warn");
    expect(waitLevel(at(20), NOW)).toBe("late");
  });

  it("counts from the queue's time while it is queued, and not at all once it ended", () => {
    const queue = { pool: "default", place: 1, length: 1, reason: "all_full" as const, waiting_since: at(3) };
    expect(waitsSince(conversation("a", { state: "queued", queue, waiting_since: at(9) }))).toBe(at(3));
    expect(waitsSince(conversation("a", { state: "wrap_up", waiting_since: at(9) }))).toBeNull();
  });

  it("is written like a clock", () => {
    expect([clockOf(42_000), clockOf(725_000), clockOf(3_669_000), clockOf(-5)]).toEqual(["0:42", "12:05", "1:01:09", "0:00"]);
  });
});

describe("the order of the list", () => {
  it("puts the longest unanswered first, then what was said last", () => {
    const list = inOrder([
      conversation("quiet", { last_message: message(1) }),
      conversation("talked", { last_message: message(20) }),
      conversation("short", { waiting_since: at(25) }),
      conversation("long", { waiting_since: at(5) }),
    ]);
    expect(ids(list)).toEqual(["long", "short", "talked", "quiet"]);
  });

  it("does not change the list that it was given", () => {
    const given = [conversation("b"), conversation("a", { waiting_since: at(1) })];
    inOrder(given);
    expect(ids(given)).toEqual(["b", "a"]);
  });
});

describe("the lists", () => {
  const other = { kind: "agent" as const, id: "wang", name: "Wang" };
  const me = { kind: "agent" as const, id: "me", name: "Lin" };
  const all = [
    conversation("mine"),
    conversation("ending", { state: "wrap_up" }),
    conversation("helped", { owner: other, participants: [{ person: me, role: "collaborator" }] }),
    conversation("watched", { owner: other }),
    conversation("foreign", { owner: other }),
  ];
  const seen: View = { ...view(...all), watching: ["watched"] };

  it("keep what is mine apart from what is shared and what has ended", () => {
    expect(ids(listed("mine", seen, "me", [], {}))).toEqual(["mine"]);
    expect(ids(listed("shared", seen, "me", [], {})).sort()).toEqual(["helped", "watched"]);
    expect(ids(listed("recent", seen, "me", ["ending", "old"], { old: conversation("old", { state: "closed" }) }))).toEqual(["ending", "old"]);
  });

  it("drop from the queue what the live view knows to be taken", () => {
    const waits = conversation("w", { state: "queued", owner: null });
    const taken = conversation("w", { state: "active", rev: 2 });
    expect(ids(listed("queue", view(), "me", ["w"], { w: waits }))).toEqual(["w"]);
    expect(listed("queue", view(taken), "me", ["w"], { w: waits })).toEqual([]);
  });

  it("show the later of two pictures", () => {
    const [early, late] = [conversation("a"), conversation("a", { rev: 2 })];
    expect(later(early, late)).toBe(late);
    expect(later(late, early)).toBe(late);
    expect(later(undefined, early)).toBe(early);
  });
});

describe("what is unread", () => {
  function log(...messages: Message[]): Log {
    const made = new Log((messages[0]?.seq ?? 1) - 1);
    for (const each of messages) made.take(each);
    return made;
  }

  it("counts the customer's messages after the mark, not the shop's", () => {
    const there = conversation("a", { head_seq: 4, read_by_staff: 1 });
    expect(unread(there, log(message(1), message(2), message(3, "agent"), message(4)))).toEqual({ count: 2, exact: true });
  });

  it("says that it is not exact while earlier parts are not at hand", () => {
    const there = conversation("a", { head_seq: 9, read_by_staff: 1, waiting_since: at(1) });
    expect(unread(there, log(message(9)))).toEqual({ count: 1, exact: false });
    expect(unread(there, undefined)).toEqual({ count: 1, exact: false });
  });

  it("is nothing when everything was read", () => {
    expect(unread(conversation("a", { head_seq: 4, read_by_staff: 4 }), undefined)).toEqual({ count: 0, exact: true });
  });
});

it("slow replies are those over the limit only", () => {
  const list = [conversation("slow", { waiting_since: at(28) }), conversation("quick", { waiting_since: at(29) }), conversation("done")];
  expect(ids(slowReplies(list, NOW, 100_000))).toEqual(["slow"]);
});
