import type { Conversation } from "@pointsman/shared";
import { describe, expect, it } from "vitest";
import { Ending, offered, reasonText, secondsLeft, toggled } from "../src/state/workEnding";

const NOW = Date.parse("2026-11-22T08:00:00.000Z");
const ended = (more: Partial<Conversation> = {}): Conversation =>
  ({
    conversation_id: "c1",
    state: "wrap_up",
    wrap_up_until: "2026-11-22T08:20:00.000Z",
    result_tags: [{ tag_id: "a", name: "Solved", colour: "green" }],
    ...more,
  }) as Conversation;
const ending = (undo_s = 10): Ending => {
  const made = new Ending(() => Promise.reject(new Error("away")));
  made.choices.value = { ...made.choices.value, undo_s };
  return made;
};

describe("taking an end back", () => {
  it("is offered for as long as the shop says", () => {
    const work = ending();
    work.offer(ended(), "Ada", NOW);
    const there = { c1: ended() };
    const [undo] = offered(work.undos, there, NOW + 9_999);
    expect(undo).toMatchObject({ id: "c1", name: "Ada", tags: ["Solved"] });
    expect(secondsLeft(undo!, NOW)).toBe(10);
    expect(secondsLeft(undo!, NOW + 9_500)).toBe(1);
    expect(offered(work.undos, there, NOW + 10_000)).toEqual([]);
  });
  it("is not offered longer than wrap-up lasts, nor for what is closed", () => {
    const work = ending();
    work.offer(ended({ wrap_up_until: "2026-11-22T08:00:04.000Z" }), "Ada", NOW);
    expect(work.undos[0]?.until).toBe(NOW + 4_000);
    work.offer(ended({ state: "closed", wrap_up_until: null }), "Ada", NOW);
    expect(work.undos).toEqual([]);
  });
  it("goes when the customer brought it back", () => {
    const work = ending();
    work.offer(ended(), "Ada", NOW);
    expect(offered(work.undos, { c1: ended({ state: "active" }) }, NOW)).toEqual([]);
  });
  it("is not offered by a shop that does not want it", () => {
    const work = ending(0);
    work.offer(ended(), "Ada", NOW);
    expect(work.undos).toEqual([]);
  });
});

describe("what may be chosen", () => {
  it("stays as it was when the shop cannot be asked", async () => {
    const work = ending(7);
    await work.ask();
    expect(work.choices.value.undo_s).toBe(7);
  });
  it("is kept in the shop's order", () => {
    expect(toggled(["c"], "a", ["a", "b", "c"])).toEqual(["a", "c"]);
    expect(toggled(["a", "c"], "a", ["a", "b", "c"])).toEqual(["c"]);
  });
  it("speaks the reader's language, else the shop's first", () => {
    expect(reasonText({ "zh-CN": "慢", en: "Slow" }, "en")).toBe("Slow");
    expect(reasonText({ en: "Slow" }, "zh-TW")).toBe("Slow");
    expect(reasonText({}, "en")).toBe("");
  });
});
