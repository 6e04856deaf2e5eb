import { describe, expect, it, vi } from "vitest";

vi.mock("../src/api", () => ({ api: { ask: vi.fn() } }));

import { type ReportLine, type Times, type Wanted, addDays, dayOf, dayStart, days, periodBefore, query, shiftOf } from "../src/state/reports";
import { COLUMNS, type Column, buckets, counterparts, duration, heat, series, written } from "../src/state/reportsMeasures";

const NONE: Times = { count: 0, mean_ms: null, median_ms: null, p95_ms: null, longest_ms: null };

function line(from: string, changes: Partial<ReportLine> = {}): ReportLine {
  return {
    from,
    to: from,
    key: null,
    name: "",
    opened: 0,
    assigned: 0,
    closed: 0,
    abandoned: 0,
    unanswered: 0,
    served_by_several: 0,
    transfers_in: 0,
    transfers_out: 0,
    cross_group_tries: 0,
    messages_customer: 0,
    messages_agent: 0,
    messages_bot: 0,
    notes: 0,
    first_responses: NONE,
    responses: NONE,
    within_3_min: null,
    resolutions: NONE,
    queue_waits: NONE,
    ratings: { count: 0, mean: null },
    collaborations: 0,
    collaboration_times: NONE,
    items_done: NONE,
    online_ms: 0,
    paused_ms: 0,
    offline_ms: 0,
    away_ms: 0,
    ...changes,
  };
}

const column = (id: string): Column => COLUMNS.find((each) => each.id === id) as Column;
const wanted = (changes: Partial<Wanted>): Wanted => ({
  first: "2026-11-16",
  last: "2026-11-22",
  step: "day",
  by: "shop",
  ...changes,
});

describe("days are the shop's", () => {
  it("begin at its midnight, on both sides of a change of the clock", () => {
    expect(dayStart("2026-11-22", "Asia/Shanghai").toISOString()).toBe("2026-11-21T16:00:00.000Z");
    expect(dayStart("2026-10-25", "Europe/Berlin").toISOString()).toBe("2026-10-24T22:00:00.000Z");
    expect(dayStart("2026-10-26", "Europe/Berlin").toISOString()).toBe("2026-10-25T23:00:00.000Z");
    expect(dayStart("2026-03-29", "Europe/Berlin").toISOString()).toBe("2026-03-28T23:00:00.000Z");
  });

  it("are told from a moment", () => {
    const at = Date.parse("2026-11-21T16:30:00Z");
    expect([dayOf(at, "Asia/Shanghai"), dayOf(at, "Europe/Berlin")]).toEqual(["2026-11-22", "2026-11-21"]);
  });

  it("are asked for with the last one included", () => {
    const asked = new URLSearchParams(query(wanted({ by: "agent" }), "Asia/Shanghai"));
    expect(Object.fromEntries(asked)).toEqual({
      from: "2026-11-15T16:00:00.000Z",
      to: "2026-11-22T16:00:00.000Z",
      step: "day",
      by: "agent",
    });
  });

  it("are counted over the ends of months and years", () => {
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
    expect(days(wanted({ first: "2026-02-27", last: "2026-03-01" }))).toBe(3);
  });
});

describe("the time before", () => {
  it("is as long, and ends where this one begins", () => {
    const before = periodBefore(wanted({}));
    expect([before.first, before.last]).toEqual(["2026-11-09", "2026-11-15"]);
  });
});

describe("the steps of a chart", () => {
  const zone = "Asia/Shanghai";

  it("go on where nothing happened, and end now", () => {
    const now = Date.parse("2026-11-18T04:00:00Z");
    expect(buckets(wanted({}), zone, now)).toHaveLength(3);
    expect(buckets(wanted({ first: "2026-11-18", last: "2026-11-18", step: "hour" }), zone, now)).toHaveLength(12);
    expect(buckets(wanted({ step: "total" }), zone, now)).toHaveLength(1);
  });

  it("are as many as a day has hours when the clock is changed", () => {
    const autumn = wanted({ first: "2026-10-25", last: "2026-10-25", step: "hour" });
    expect(buckets(autumn, "Europe/Berlin", Date.parse("2027-01-01T00:00:00Z"))).toHaveLength(25);
  });

  it("have no count where nothing happened, and no duration either", () => {
    const at = buckets(wanted({ last: "2026-11-17" }), zone, Date.parse("2026-12-01T00:00:00Z"));
    const lines = [line("2026-11-16T16:00:00.000Z", { opened: 4, queue_waits: { ...NONE, count: 1, median_ms: 900 } })];
    expect(series(lines, column("opened"), at, () => "")[0]?.values).toEqual([0, 4]);
    expect(series(lines, column("queue_waits_median"), at, () => "")[0]?.values).toEqual([null, 900]);
  });

  it("put the largest series first", () => {
    const from = "2026-11-15T16:00:00.000Z";
    const lines = [line(from, { key: "a", opened: 1 }), line(from, { key: "b", opened: 5 })];
    const found = series(lines, column("opened"), [Date.parse(from)], (each) => `agent ${each.key}`);
    expect(found.map((each) => each.name)).toEqual(["agent b", "agent a"]);
  });
});

describe("the heat map", () => {
  it("counts into the hour and the weekday of the shop's clock", () => {
    // Sunday evening in London is Monday morning in Shanghai.
    const days = heat([line("2026-11-22T17:00:00.000Z", { opened: 3 })], "Asia/Shanghai");
    expect(days[0]?.[1]).toBe(3);
    expect(days.flat().reduce((sum, n) => sum + n, 0)).toBe(3);
  });
});

describe("figures", () => {
  it("are written in units that people read", () => {
    expect([850, 4_200, 185_000, 7_800_000].map((ms) => duration(ms, "en"))).toEqual(["0.9s", "4.2s", "3:05", "2:10:00"]);
    expect([850, 4_200].map((ms) => duration(ms, "zh-CN"))).toEqual(["0.9秒", "4.2秒"]);
    expect(written(0.9834, "share", "en")).toBe("98.3%");
    expect(written(null, "rating", "en")).toBe("–");
  });

  it("each have a place of their own", () => {
    expect(new Set(COLUMNS.map((each) => each.id)).size).toBe(COLUMNS.length);
  });
});

describe("another time to compare with", () => {
  it("is the one just before, or the same weekdays before", () => {
    const three = wanted({ first: "2026-11-18", last: "2026-11-20" });
    expect((["before", "weeks", "year"] as const).map((each) => shiftOf(three, each))).toEqual([3, 7, 364]);
    expect(periodBefore(three, "weeks")).toMatchObject({ first: "2026-11-11", last: "2026-11-13" });
    expect(shiftOf(wanted({ first: "2026-11-01", last: "2026-11-10" }), "weeks")).toBe(14);
  });

  it("puts each line beside that of the same key, as long after its beginning", () => {
    const zone = "Asia/Shanghai";
    const at = (day: string, hour: string): string => `2026-11-${day}T${hour}:00:00.000Z`;
    const now = [line(at("21", "02"), { key: "a", opened: 3 }), line(at("21", "03"), { key: "a" }), line(at("21", "02"), { key: "b" })];
    const then = [line(at("14", "02"), { key: "a", opened: 1 }), line(at("14", "05"), { key: "b" })];
    expect([...counterparts(now, then, 7, zone)]).toEqual([[now[0], then[0]]]);
  });

  it("finds the same hour of the wall's clock when the clocks changed between", () => {
    const now = [line("2026-10-26T08:00:00.000Z")];
    const then = [line("2026-10-19T07:00:00.000Z")];
    expect(counterparts(now, then, 7, "Europe/Berlin").get(now[0]!)).toBe(then[0]);
  });
});
