import { describe, expect, it } from "vitest";
import { filled, standing, valuesOf } from "../src/state/quickFill";
import { fits, matching, quickAt, type QuickReply } from "../src/state/quickMatch";
import { lineFaults, shelfNamed, shelfOf, textOf } from "../src/state/quickTable";

const reply = (shortcut: string, more: Partial<QuickReply> = {}): QuickReply => ({
  id: shortcut,
  whose: "shop",
  group_id: null,
  folder: "",
  shortcut,
  title: shortcut,
  text: "",
  pinyin: shortcut,
  initials: shortcut,
  editable: false,
  rev: 1,
  changed_at: null,
  ...more,
});
const SHIP = reply("send", { title: "发货时间", text: "48 小时内寄出", folder: "售前", pinyin: "fa huo shi jian", initials: "fhsj" });
const BACK = reply("tk", { title: "退款", text: "三天内到账，不用发货", folder: "售后", pinyin: "tui kuan", initials: "tk" });
const FIRE = reply("fire", { title: "返还", pinyin: "fan huan", initials: "fh" });
const ALL = [SHIP, BACK, FIRE];
const found = (typed: string, recent: string[] = []): string[] => matching(ALL, typed, recent, 10).map((each) => each.id);

describe("what is typed after a stroke", () => {
  it("counts at the beginning and after a space or line end", () => {
    expect(quickAt("/fh", 3)).toEqual({ from: 0, query: "fh" });
    expect(quickAt("您好 /fh", 6)).toEqual({ from: 3, query: "fh" });
    expect(quickAt("您好\n/", 4)).toEqual({ from: 3, query: "" });
    expect(quickAt("/发货", 3)).toEqual({ from: 0, query: "发货" });
  });
  it("is what a Chinese input method makes of the key, too", () => {
    expect(quickAt("、fh", 3)).toEqual({ from: 0, query: "fh" });
    expect(quickAt("您好 ／", 4)).toEqual({ from: 3, query: "" });
    expect(quickAt("苹果、梨", 4)).toBeNull();
  });
  it("is no shortcut within a word, an address or a sum, nor once a space follows", () => {
    for (const text of ["a/b", "https://x", "//", "1/2", "/fh "]) expect(quickAt(text, text.length)).toBeNull();
  });
  it("ends at the cursor", () => {
    expect(quickAt("/fhx", 3)).toEqual({ from: 0, query: "fh" });
    expect(quickAt("/fh", 0)).toBeNull();
  });
});

describe("what is meant by it", () => {
  it.each(["发", "fh", "fhsj", "fahuo", "fhuo", "fahshij", "FH", "fa'huo", "send", "se", "huo", "shijian", "48", "售前"])("%s finds the sending", (typed) => {
    expect(found(typed)).toContain("send");
  });
  it.each(["ahuo", "fhj", "xyz", "h"])("%s does not", (typed) => {
    expect(found(typed)).not.toContain("send");
  });
  it("the shortcut counts more than initials, these more than pinyin, that more than words", () => {
    const byShortcut = reply("fh");
    const order = matching([BACK, SHIP, FIRE, byShortcut], "fh", [], 10).map((each) => each.id);
    expect(order).toEqual(["fh", "fire", "send"]);
    expect(fits(SHIP, "发货")).toBeGreaterThan(fits(BACK, "发货"));
    expect(fits(BACK, "发货")).toBeGreaterThan(0);
  });
  it("nothing typed offers everything, what was used last first", () => {
    expect(found("")).toEqual(["send", "tk", "fire"]);
    expect(found("", ["fire", "gone"])).toEqual(["fire", "send", "tk"]);
    expect(matching(ALL, "", [], 2)).toHaveLength(2);
  });
  it("a title of many syllables costs nothing to look through", () => {
    const long = reply("x", { pinyin: Array.from({ length: 40 }, () => "a").join(" ") });
    const began = performance.now();
    expect(fits(long, "a".repeat(30) + "b")).toBe(0);
    expect(performance.now() - began).toBeLessThan(50);
  });
});

describe("variables", () => {
  const customer = { name: "小雨" };
  const ordered = { customer, order_id: "77", order_state: "paid_unshipped" };
  const states = (state: string): string => `<${state}>`;

  it("are filled in with what the conversation says", () => {
    const values = valuesOf(ordered, "林小美", "一间小店", states);
    expect(filled("{customer}您好，{agent}（{shop}）：订单 {order_id} {order_state}", values)).toBe(
      "小雨您好，林小美（一间小店）：订单 77 <paid_unshipped>",
    );
  });
  it("stay where the conversation says nothing, and are found there", () => {
    const values = valuesOf({ customer: { name: "" }, order_id: null, order_state: "no_active_order" }, "林", "店", states);
    const text = filled("{customer} {order_id} {order_state} {other} {}", values);
    expect(text).toBe("{customer} {order_id} {order_state} {other} {}");
    expect(standing(text)).toEqual([
      { name: "customer", from: 0, to: 10 },
      { name: "order_id", from: 11, to: 21 },
      { name: "order_state", from: 22, to: 35 },
    ]);
  });
  it("what a customer calls themselves is no variable again", () => {
    const values = valuesOf({ ...ordered, customer: { name: "{shop} $& $1" } }, "林", "店", states);
    expect(filled("{customer}!", values)).toBe("{shop} $& $1!");
  });
});

describe("tables", () => {
  it("are read as what they were written in", () => {
    expect(textOf(new TextEncoder().encode("快捷词").buffer as ArrayBuffer)).toBe("快捷词");
    expect(textOf(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]).buffer)).toBe("a");
    expect(textOf(new Uint8Array([0xbf, 0xec, 0xbd, 0xdd]).buffer)).toBe("快捷");
  });
  it("have their faults by line", () => {
    const faults = [
      { field: "line.3.text", problem: "x" },
      { field: "body.csv", problem: "y" },
    ];
    expect(lineFaults(faults)).toEqual([{ line: 3, column: "text", problem: "x" }]);
  });
  it("belong to a shelf", () => {
    expect([shelfOf("shop", null), shelfOf("group", "7")]).toEqual(["shop", "group:7"]);
    expect(shelfNamed("group:7")).toEqual({ whose: "group", group_id: "7" });
    expect(shelfNamed("own")).toEqual({ whose: "own", group_id: null });
  });
});
