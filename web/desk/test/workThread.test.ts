import type { Item, Message } from "@pointsman/shared";
import { describe, expect, it } from "vitest";
import { merged, overdue } from "../src/state/workItems";
import type { Pending } from "../src/state/workOutbox";
import { facts, mentionAt, mentioned, Rows } from "../src/state/workThread";

function message(seq: number, who: string, at: string, more: Partial<Message> = {}): Message {
  return {
    conversation_id: "a", seq, message_id: `m${seq}`, client_message_id: null,
    sender: { kind: who === "buyer" ? "customer" : "agent", id: who, name: who },
    body: { kind: "text", text: `${seq}`, quote: null }, created_at: at, recalled_at: null, rev: 1, internal: false, ...more,
  };
}
const rows = (...log: Parameters<Rows["of"]>): ReturnType<Rows["of"]> => new Rows().of(...log);
const pending = (id: string): Pending => ({
  id, conversation: "a", method: "message.send", body: { kind: "text", text: id, quote: null }, epoch: 1, at: "", n: 0, failed: null,
});

describe("rows of a thread", () => {
  it("begin each day with a line", () => {
    const shown = rows([message(1, "buyer", "2026-11-20T12:00:00Z"), message(2, "buyer", "2026-11-21T12:00:00Z")], [], "me", "UTC");
    expect(shown.map((each) => each.kind)).toEqual(["day", "said", "day", "said"]);
  });

  it("name a speaker once until somebody else speaks, a note begins, or five minutes pass", () => {
    const day = "2026-11-20T12:";
    const shown = rows(
      [
        message(1, "me", `${day}00:00`),
        message(2, "me", `${day}01:00`),
        message(3, "me", `${day}02:00`, { internal: true }),
        message(4, "me", `${day}03:00`),
        message(5, "me", `${day}09:00`),
        message(6, "buyer", `${day}09:30`),
      ],
      [],
      "me",
      "UTC",
    );
    const said = shown.flatMap((each) => (each.kind === "said" ? [each.first] : []));
    expect(said).toEqual([true, false, true, true, true, true]);
  });

  it("show what is on its way last, until the log has it", () => {
    const there = message(1, "me", "2026-11-20T12:00:00Z", { client_message_id: "one" });
    expect(rows([there], [pending("one"), pending("two")], "me", "UTC").map((each) => each.key)).toEqual(["day:2026-11-20", "m1", "pending:two"]);
  });

  it("stay the very same when something is said after them, and are what a fresh look gives", () => {
    const log = new Rows();
    const said = ["2026-11-20T23:58:00Z", "2026-11-20T23:59:00Z", "2026-11-21T00:01:00Z"].map((at, n) => message(n + 1, "buyer", at));
    const before = log.of(said.slice(0, 2), [], "me", "UTC");
    const after = log.of(said, [], "me", "UTC");
    expect(after.slice(0, before.length).every((each, at) => each === before[at])).toBe(true);
    expect(after).toEqual(rows(said, [], "me", "UTC"));
    expect(after.map((each) => each.kind)).toEqual(["day", "said", "said", "day", "said"]);
    expect(log.of(said, [pending("x")], "me", "UTC")).toEqual(rows(said, [pending("x")], "me", "UTC"));
  });

  it("are laid out anew when older ones come, one is recalled, the reader or the zone is another", () => {
    const log = new Rows();
    const said = [1, 2, 3].map((n) => message(n, "me", `2026-11-20T12:00:0${n}Z`));
    log.of(said.slice(1), [], "me", "UTC");
    expect(log.of(said, [], "me", "UTC")).toEqual(rows(said, [], "me", "UTC"));
    const recalled = said.with(1, { ...said[1]!, body: null, rev: 2 });
    expect(log.of(recalled, [], "me", "UTC")).toEqual(rows(recalled, [], "me", "UTC"));
    expect(log.of(recalled, [], "wang", "UTC")).toEqual(rows(recalled, [], "wang", "UTC"));
    expect(log.of(recalled, [], "wang", "Asia/Shanghai")).toEqual(rows(recalled, [], "wang", "Asia/Shanghai"));
    expect(log.of([], [], "wang", "Asia/Shanghai")).toEqual([]);
  });

  it("cost as much for one more message in a long log as in a short one: only that one is looked at", () => {
    let looked = 0;
    const counted = (seq: number): Message =>
      new Proxy(message(seq, "buyer", new Date(1.79e12 + seq * 1000).toISOString()), {
        get(target, name) {
          looked += 1;
          return target[name as keyof Message];
        },
      });
    const said = Array.from({ length: 12_000 }, (_, n) => counted(n + 1));
    const log = new Rows();
    log.of(said, [], "me", "UTC");
    looked = 0;
    log.of([...said, counted(12_001)], [], "me", "UTC");
    expect(looked).toBeLessThan(30);
  });

  it("know own words from a colleague's", () => {
    const shown = rows([message(1, "me", "2026-11-20T12:00:00Z"), message(2, "wang", "2026-11-20T12:00:00Z")], [], "me", "UTC");
    expect(shown.flatMap((each) => (each.kind === "said" ? [each.own] : []))).toEqual([true, false]);
  });
});

it("a system entry's facts are names, of one or several", () => {
  const wang = { kind: "agent", id: "w", name: "王磊" };
  expect(facts({ owner: wang })).toMatchObject({ who: "王磊", by: "" });
  expect(facts({ who: [wang, { name: "赵敏" }], by: wang, reason: "size" })).toMatchObject({ who: "王磊, 赵敏", by: "王磊", reason: "size" });
});

describe("mentions", () => {
  it("begin at an @, after Chinese without a space too, and never in an address", () => {
    expect(mentionAt("请看@赵", 4)).toEqual({ from: 2, name: "赵" });
    expect(mentionAt("@", 1)).toEqual({ from: 0, name: "" });
    expect(mentionAt("a@b", 3)).toBeNull();
    expect(mentionAt("@赵敏 好", 5)).toBeNull();
  });

  it("find the longest name, once", () => {
    const people = [{ id: "1", name: "Li" }, { id: "2", name: "Li Na" }, { id: "3", name: "Bo" }];
    expect(mentioned("@Li Na and @Li Na", people)).toEqual(["2"]);
    expect(mentioned("@Li and @Li Na", people)).toEqual(["1", "2"]);
    expect(mentioned("no Li", people)).toEqual([]);
  });
});

it("items are shown as they were heard of last, without the removed ones", () => {
  const item = (id: string, rev: number, more: Partial<Item> = {}): Item => ({
    item_id: id, conversation_id: "a", rev, text: id, owner: null, done: false, due_at: null,
    by: { kind: "agent", id: "me", name: "" }, created_at: `2026-11-20T12:00:0${id}Z`, done_at: null, removed: false, ...more,
  });
  const heard = { "2": item("2", 3, { done: true }), "3": item("3", 2, { removed: true }), "9": item("9", 1, { conversation_id: "b" }) };
  const shown = merged([item("2", 1), item("3", 1), item("1", 1)], heard, "a");
  expect(shown.map((each) => [each.item_id, each.done])).toEqual([["1", false], ["2", true]]);
});

it("is overdue what is not done in time", () => {
  const item = (more: Partial<Item>): Item => ({ due_at: "2026-11-20T12:00:00Z", done: false, ...more }) as Item;
  const [before, after] = [Date.parse("2026-11-20T11:59:59Z"), Date.parse("2026-11-20T12:00:01Z")];
  expect([overdue(item({}), before), overdue(item({}), after), overdue(item({ done: true }), after), overdue(item({ due_at: null }), after)]).toEqual(
    [false, true, false, false],
  );
});
