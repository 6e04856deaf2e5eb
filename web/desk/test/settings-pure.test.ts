import { describe, expect, it } from "vitest";
import { auditCsv, type AuditRecord, auditQuery, ANYTHING } from "../src/state/settingsAudit";
import { differences, listChange } from "../src/state/settingsDiff";
import { faultsAt, idOf, ownFaultsAt, wordsFor } from "../src/state/settingsFaults";
import { granted, inOrder, reachesOf, RIGHTS, roleName } from "../src/state/settingsRoles";
import { decisive, dryRunBody, type Tier } from "../src/state/settingsRouting";
import { originsIn, PLAIN, snippet } from "../src/state/settingsSnippet";
import { clockOf, endOf, minuteOf, unitOf } from "../src/state/settingsTime";

describe("what the server finds wrong", () => {
  const errors = [
    { field: "body.policy.offline_list", problem: "Offline routing is on and nobody is on the list: name an account, or switch it off." },
    { field: "policy.offline_after_s.web", problem: "Input should be greater than or equal to 5." },
    { field: "policy.offline_list", problem: "An account is named twice." },
  ];

  it("stands at its field, with or without the body's name before it", () => {
    expect(faultsAt(errors, "policy.offline_list")).toHaveLength(2);
  });
  it("of a part stands at the whole too", () => {
    expect(faultsAt(errors, "policy.offline_after_s")).toEqual(["Input should be greater than or equal to 5."]);
  });
  it("does not stand at a field whose name only begins alike", () => {
    expect(faultsAt(errors, "policy.offline")).toEqual([]);
  });
  it("is said in the person's language with its number", () => {
    expect(wordsFor("Input should be greater than or equal to 5.")).toEqual({ key: "at_least", n: "5" });
  });
  it("is shown as it is when there are no words for it", () => {
    expect(wordsFor("Something nobody has met before.")).toBeNull();
  });
  it("leads to an element with an id that a page can have", () => {
    expect(idOf("policy.order_state_groups.after_sale")).toMatch(/^[a-zA-Z][\w-]*$/);
  });
});

describe("what differs", () => {
  it("is every leaf that differs, and nothing else", () => {
    expect(differences({ a: 1, bot: { on: false, who: null } }, { a: 1, bot: { on: true, who: null } })).toEqual([
      { field: "bot.on", before: false, after: true },
    ]);
  });
  it("of something new is all of it", () => {
    expect(differences(null, { name: "x" })).toEqual([{ field: "name", before: null, after: "x" }]);
  });
  it("treats a list as one thing, and says what came and went", () => {
    const [row] = differences({ roles: ["agent", "bot"] }, { roles: ["agent", "admin"] });
    expect(listChange(row?.before, row?.after)).toEqual({ added: ["admin"], removed: ["bot"] });
  });
  it("says the rows of a list by what they hold, without ids and what is not so", () => {
    const kept = { tag_id: "t1", name: "已解决", colour: "green", archived: false };
    const reason = { reason_id: "r1", texts: { en: "Slow", "zh-CN": "慢" }, stars_from: 1, stars_to: 3, archived: false };
    const say = (value: string): string => ({ green: "绿色", archived: "已归档" })[value] ?? value;
    expect(listChange([kept], [{ ...kept, archived: true }, reason], say)).toEqual({
      added: ["已解决 绿色 已归档", "Slow / 慢 1–3 ★"],
      removed: ["已解决 绿色"],
    });
  });
});

describe("hours", () => {
  it("end on the day after when their end is not after their start", () => {
    expect(endOf(22 * 60, "06:00")).toBe(1800);
    expect(endOf(0, "00:00")).toBe(1440);
    expect(endOf(540, "18:00")).toBe(1080);
  });
  it("are written as clocks", () => {
    expect(clockOf(1800)).toBe("06:00");
    expect(minuteOf("24:00")).toBeNull();
  });
  it("have the largest unit in which they are whole", () => {
    expect([60, 90, 7200, 172_800, 0].map(unitOf)).toEqual(["min", "s", "h", "d", "min"]);
  });
});

describe("roles", () => {
  it("compare equal whatever the order in which rights were given", () => {
    const one = granted(granted({}, "audit.view", "all"), "conversation.view", "own");
    const two = granted(granted({}, "conversation.view", "own"), "audit.view", "all");
    expect(JSON.stringify(one)).toBe(JSON.stringify(two));
    expect(JSON.stringify(inOrder({ "audit.view": "all", "conversation.view": "own" }))).toBe(JSON.stringify(one));
  });
  it("lose a right that is taken away", () => {
    expect(granted({ "audit.view": "all" }, "audit.view", "none")).toEqual({});
  });
  it("have rights about the whole shop whole or not at all", () => {
    for (const right of RIGHTS.shop) expect(reachesOf(right)).toEqual(["all"]);
    expect(reachesOf("conversation.view")).toEqual(["own", "groups", "all"]);
  });
  it("are called as the shop calls them", () => {
    const view = { role: "agent", name: "Advisor", grants: {}, rev: 1, built_in: true, fixed: false };
    expect(roleName("agent", [view], () => "Agent")).toBe("Advisor");
    expect(roleName("agent", [], () => "Agent")).toBe("Agent");
    expect(roleName("night_shift", [], () => null)).toBe("night_shift");
  });
});

describe("a dry run", () => {
  const given = { state: "after_sale", agent: "", contactAt: "2026-11-22T08:00:00.000Z", firstPaidAt: null, boughtAt: null, viaBot: false } as const;
  const tier = (kind: Tier["kind"], now: string | null): Tier => ({ kind, reason: "any_online", agent: null, groups: [], over_capacity: 0, even_paused: false, hold: false, pool: null, now, taker: null });

  it("describes one order in the state that was chosen, and no contact with nobody", () => {
    const now = new Date("2026-11-22T09:00:00Z");
    expect(dryRunBody(given, null, now)).toMatchObject({
      orders: [{ state: "after_sale", changed_at: "2026-11-22T09:00:00.000Z" }],
      last_contact: null,
    });
  });
  it("is decided by the first step that takes", () => {
    expect(decisive([tier("agent", "offline"), tier("groups", "taken"), tier("pool", "all_full")])).toBe(1);
  });
  it("ends in the queue when none does", () => {
    expect(decisive([tier("groups", "all_full"), tier("pool", "all_full")])).toBe(1);
  });
  it("decides nothing without live state", () => {
    expect(decisive([tier("groups", null), tier("pool", null)])).toBeNull();
  });
});

describe("the code for a shop's pages", () => {
  it("names the shop and nothing that is as it would be anyway", () => {
    const code = snippet("https://chat.example", "demo", PLAIN);
    expect(code).toContain('pointsman("boot", { shop: "demo" })');
    expect(code).toContain('<script async src="https://chat.example/widget/loader.js"></script>');
  });
  it("says the corner and the greeting when they are the shop's own", () => {
    const code = snippet("https://chat.example", "demo", { ...PLAIN, position: "left", greeting: " Hi </script> " });
    expect(code).toContain('position: "left", greeting: "Hi \\u003c/script>"');
  });
  it("keeps calls in a queue that the loader reads", () => {
    const code = snippet("https://chat.example", "demo", { ...PLAIN, launcher: false });
    const script = /<script>([\s\S]*?)<\/script>/.exec(code)?.[1] ?? "";
    const window: { pointsman?: { q?: ArrayLike<unknown>[] } } = {};
    new Function("window", `with (window) { ${script} }`)(window);
    expect(Array.from(window.pointsman?.q?.[0] ?? [])).toEqual(["boot", { shop: "demo", launcher: false }]);
  });
  it("cannot be ended early by a value", () => {
    expect(snippet("https://chat.example", "</script>", PLAIN).match(/<\/script>/g)).toHaveLength(2);
  });
  it("reads addresses as browsers send them", () => {
    expect(originsIn("https://Shop.example/\nhttps://shop.example\n\nhttp://localhost:3000")).toEqual(["https://shop.example", "http://localhost:3000"]);
  });
});

describe("the audit log", () => {
  const record: AuditRecord = {
    id: "1", at: "2026-11-22T08:00:00.000Z", actor_kind: "account", actor_id: "a", actor_name: "=cmd", action: "groups.changed", right: "",
    subject_kind: "group", subject_id: "g", outcome: "done", reason: "", before: { name: 'a "b"' }, after: null, source: {},
  };
  it("asks only for what was filled in", () => {
    expect(auditQuery({ ...ANYTHING, q: " lin ", outcome: "refused" }, "c1", 50)).toBe("/v1/audit?limit=50&q=lin&outcome=refused&cursor=c1");
  });
  it("gives a spreadsheet no formula, and quotes what needs it", () => {
    const line = auditCsv([record]).split("\r\n")[1];
    expect(line).toContain(",'=cmd,");
    expect(line).toContain('"{""name"":""a \\""b\\""""}"');
  });
});

describe("a thing of several fields", () => {
  const errors = [
    { field: "rule.actions.0.text", problem: "String should have at least 1 character." },
    { field: "rule.actions.0", problem: "It is handed on already; a conversation has one owner." },
    { field: "rule.conditions.of", problem: "No conversation has two words for state at once: this is never true." },
  ];
  it("says what is wrong with itself, and leaves the rest to its fields", () => {
    expect(ownFaultsAt(errors, "actions.0")).toEqual([errors[1]?.problem]);
    expect(ownFaultsAt(errors, "conditions")).toEqual([errors[2]?.problem]);
  });
});
