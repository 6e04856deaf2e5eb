import { type Conversation, type Message, reduce, type View } from "@pointsman/shared";
import { describe, expect, it, vi } from "vitest";

vi.mock("../src/state/session", () => ({ useSession: vi.fn() }));
vi.mock("../src/texts", () => ({ i18n: { global: {} } }));

import { titleOf } from "../src/state/pageTitle";
import { clockOf, inOrder, later, listed, slowReplies, unread, unreadInAll, waitLevel, waitsSince } from "../src/state/workLists";

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString();
const NOW = Date.parse(at(30));

function conversation(id: string, more: Partial<Conversation> = {}): Conversation {
  return {
    conversation_id: id, rev: 1, state: "active", order_state: "after_sale", order_id: null, queue: null,
    customer: { customer_id: `c-${id}`, name: id, anonymous: false, new_customer_priority: false, tags: [], owner: null, returning: null },
    owner: { kind: "agent", id: "me", name: "Lin" }, assign_epoch: 1, opened_at: at(0), arrived_at: at(0),
    assigned_at: at(0), wrap_up_until: null, closed_at: null, answers_later: false, head_seq: 0,
    read_by_customer: 0, read_by_staff: 0, waiting_since: null, last_message: null, customer_messages: 0, customer_messages_read: 0, answered: false, rating: null,
    rating_reasons: [], rating_comment: "", rated_at: null, result_tags: [], end_reason: "",
    participants: [], watchers: [], work: null, ...more,
  };
}

function message(seq: number, kind: "customer" | "agent" = "customer"): Message {
  return {
    conversation_id: "a", seq, message_id: `m${seq}`, client_message_id: null, sender: { kind, id: kind, name: kind },
    body: { kind: "text", text: `${seq}`, quote: null }, created_at: at(seq), recalled_at: null, rev: 1, internal: false,
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
    const queue = { pool: "default", place: 1, length: 1, reason: "all_full" as const, waiting_since: at(3), estimate_s: null };
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
  it("is what the customer wrote beyond the staff's mark", () => {
    expect(unread(conversation("a", { customer_messages: 5, customer_messages_read: 2 }))).toBe(3);
    expect(unread(conversation("a", { customer_messages: 5, customer_messages_read: 5 }))).toBe(0);
  });

  it("counts in all for who serves or takes part, not for what is only watched or over", () => {
    const wang = { kind: "agent" as const, id: "wang", name: "Wang" };
    const me = { kind: "agent" as const, id: "me", name: "Lin" };
    const two = { customer_messages: 2 };
    const seen = view(
      conversation("mine", two),
      conversation("helped", { ...two, owner: wang, participants: [{ person: me, role: "collaborator" }] }),
      conversation("watched", { ...two, owner: wang }),
      conversation("ended", { ...two, state: "wrap_up" }),
    );
    expect(unreadInAll({ ...seen, watching: ["watched"] }, "me")).toBe(4);
  });

  it("stands in the title of the tab, when there is any", () => {
    expect([titleOf("会话", 0), titleOf("会话", 3), titleOf("会话", 120)]).toEqual([
      "会话 · Pointsman",
      "(3) 会话 · Pointsman",
      "(99+) 会话 · Pointsman",
    ]);
  });
});

it("slow replies are those over the limit only", () => {
  const list = [conversation("slow", { waiting_since: at(28) }), conversation("quick", { waiting_since: at(29) }), conversation("done")];
  expect(ids(slowReplies(list, NOW, 100_000))).toEqual(["slow"]);
});
