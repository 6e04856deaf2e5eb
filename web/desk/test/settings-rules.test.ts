import { describe, expect, it } from "vitest";
import { asKind, blankAction, blankCondition, type Condition, moved, partsOf, sayAction, sayCondition, withParts, wordsIn } from "../src/state/settingsRules";

const speech = {
  t: (key: string, values?: Record<string, unknown>) => {
    if (key === "settings.rules.and") return " and ";
    if (key === "settings.rules.or") return " or ";
    if (key === "settings.rules.say_not") return `not (${values?.["what"]})`;
    return key.split(".").at(-1) ?? key;
  },
  nameOf: (id: string) => ({ g1: "After-sale", a1: "Lin" })[id] ?? id,
};
const keyword: Condition = { kind: "keyword", any_of: ["refund", "退款"] };
const waits: Condition = { kind: "customer_waits", longer_than_s: 300 };

describe("the editor of conditions", () => {
  it("keeps what is in a tree when the tree is of another kind", () => {
    expect(asKind({ kind: "all", of: [keyword, waits] }, "any")).toEqual({ kind: "any", of: [keyword, waits] });
  });
  it("puts several under one when they are not to hold", () => {
    expect(asKind({ kind: "any", of: [keyword, waits] }, "not")).toEqual({ kind: "not", of: { kind: "all", of: [keyword, waits] } });
  });
  it("puts a condition into a tree that takes its place", () => {
    expect(asKind(keyword, "all")).toEqual({ kind: "all", of: [keyword] });
    expect(asKind(keyword, "not")).toEqual({ kind: "not", of: keyword });
  });
  it("gives each kind members that the server takes", () => {
    expect(blankCondition("in_queue")).toEqual({ kind: "in_queue", longer_than_s: 300 });
    expect(blankCondition("queue_length")).toMatchObject({ at_least: 5, at_most: null });
    expect(blankCondition("time_of_day")).not.toHaveProperty("any_of");
  });
  it("reads and writes the one under a not", () => {
    const not: Condition = { kind: "not", of: keyword };
    expect(partsOf(not)).toEqual([keyword]);
    expect(withParts(not, [waits])).toEqual({ kind: "not", of: waits });
  });
  it("takes words between the commas of any script, each once", () => {
    expect(wordsIn("退款，refund、 退款\n差评")).toEqual(["退款", "refund", "差评"]);
  });
});

describe("a rule as a sentence", () => {
  it("says a tree with brackets only where they are needed", () => {
    const tree: Condition = { kind: "all", of: [waits, { kind: "any", of: [keyword, { kind: "group", any_of: ["g1"] }] }] };
    expect(sayCondition(tree, speech)).toBe("customer_waits ≥ 5 min and (keyword: refund / 退款 or group: After-sale)");
  });
  it("says what must not hold", () => {
    expect(sayCondition({ kind: "not", of: keyword }, speech)).toBe("not (keyword: refund / 退款)");
  });
  it("says bounds", () => {
    expect(sayCondition({ kind: "queue_length", at_least: 3, at_most: 0 }, speech)).toBe("queue_length ≥ 3, ≤ 0");
  });
  it("names whom an action is for", () => {
    expect(sayAction({ ...blankAction("notify"), owner: true, account_ids: ["a1"], text: "Look" }, speech)).toBe("notify: the_owner, Lin “Look”");
    expect(sayAction({ ...blankAction("tag"), add: ["vip"], remove: ["new"] }, speech)).toBe("tag: +vip −new");
  });
});

describe("order", () => {
  it("moves one place, and stays at the ends", () => {
    expect(moved(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  });
});
