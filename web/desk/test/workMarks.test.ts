import type { Conversation, Workbench } from "@pointsman/shared";
import { describe, expect, it } from "vitest";
import { groupsOf, isVip, mayRecall, plainTags, replyDue } from "../src/state/workMarks";

const at = (second: number): string => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString();
const NOW = Date.parse(at(0));
const BENCH: Workbench = {
  recall_within_s: 120,
  slow_reply_s: 100,
  first_reply_s: 90,
  each_reply_s: 30,
  vip_tags: ["VIP", "金牌"],
  groups: [
    { group_id: "g1", name: "售后组", order_states: ["after_sale"] },
    { group_id: "g2", name: "售前组", order_states: ["no_active_order", "placed_unpaid"] },
  ],
};
const card = (...tags: string[]): Conversation["customer"] => ({
  customer_id: "c", name: "Ada", anonymous: false, new_customer_priority: false, tags, owner: null, returning: null,
});
const talk = (more: Partial<Conversation>): Conversation =>
  ({
    conversation_id: "a", state: "active", owner: { kind: "agent", id: "me", name: "Lin" }, assigned_at: at(-500),
    waiting_since: at(0), answered: false, answers_later: false, order_state: "after_sale", customer: card(), ...more,
  }) as Conversation;

describe("how long the answer may still take", () => {
  it("goes by the first answer's limit until there was one, then by the other", () => {
    expect(replyDue(talk({}), BENCH, NOW)).toEqual({ first: true, leftMs: 90_000, level: "calm" });
    expect(replyDue(talk({ answered: true }), BENCH, NOW)).toEqual({ first: false, leftMs: 30_000, level: "calm" });
  });

  it("is yellow in the last third and red when it is over", () => {
    const levels = [59, 60, 89, 90].map((second) => replyDue(talk({}), BENCH, NOW + second * 1000)?.level);
    expect(levels).toEqual(["calm", "soon", "soon", "over"]);
  });

  it("begins when whoever serves it got it, not while it was in the queue", () => {
    expect(replyDue(talk({ waiting_since: at(-400), assigned_at: at(-10) }), BENCH, NOW)?.leftMs).toBe(80_000);
  });

  it("is nothing when nobody waits, nobody serves, a bot does, or the answer comes later anyway", () => {
    const none: Partial<Conversation>[] = [
      { waiting_since: null },
      { state: "queued", owner: null },
      { state: "wrap_up" },
      { owner: { kind: "bot", id: "b", name: "Bot" } },
      { answers_later: true },
    ];
    expect(none.map((each) => replyDue(talk(each), BENCH, NOW))).toEqual(none.map(() => null));
    expect(replyDue(talk({}), null, NOW)).toBeNull();
  });
});

describe("an important customer", () => {
  it("has one of the shop's tags, however it is written", () => {
    expect([card("vip"), card("new", "金牌"), card("new")].map((each) => isVip(each, BENCH))).toEqual([true, true, false]);
  });

  it("shows the mark, and only the other tags beside it", () => {
    expect(plainTags(card("VIP", "new"), BENCH)).toEqual(["new"]);
    expect(plainTags(card("VIP"), null)).toEqual(["VIP"]);
  });
});

it("the groups of a conversation are those that serve its order state", () => {
  expect(groupsOf(talk({}), BENCH)).toEqual(["售后组"]);
  expect(groupsOf(talk({ order_state: "trade_done" }), BENCH)).toEqual([]);
});

it("a message can be taken back within the shop's time, and never when that is none", () => {
  expect([119, 120].map((second) => mayRecall(at(0), BENCH, NOW + second * 1000))).toEqual([true, false]);
  expect(mayRecall(at(0), { ...BENCH, recall_within_s: 0 }, NOW)).toBe(false);
});
