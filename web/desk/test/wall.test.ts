import type { AgentCard, AgentWork, PoolCard, WaitingCard, Wall, WallThresholds } from "@pointsman/shared";
import { describe, expect, it } from "vitest";
import { clock, falling, rising, secondsSince, worse } from "../src/state/wallLevels";
import { agentRows, busyPools, ofGroup, sorted, totals } from "../src/state/wallRows";

const NOW = Date.parse("2026-11-22T08:00:00.000Z");
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

function agent(name: string, changes: Partial<AgentCard> = {}): AgentCard {
  return {
    account_id: name,
    name,
    status: "online",
    connected: true,
    counted_offline: false,
    availability: "has_room",
    load: 0,
    capacity: 4,
    received_today: 0,
    groups: [],
    excluded: false,
    on_duty: true,
    pause_mode: "at_n",
    pause_at: null,
    status_since: null,
    ...changes,
  };
}

/** What somebody has in hand: how many wait, since when the first, and when they last wrote. */
function work(owner: string, unanswered: number, seconds: number, wrote: number | null = null): AgentWork {
  return {
    account_id: owner,
    in_service: unanswered + 1,
    unanswered,
    unanswered_since: unanswered === 0 ? null : ago(seconds),
    wrote_at: wrote === null ? null : ago(wrote),
  };
}

const THRESHOLDS: WallThresholds = {
  queued: null,
  waiting_s: { warn: 120, bad: 600 },
  unanswered_s: { warn: 100, bad: 180 },
  load_percent: { warn: 80, bad: 100 },
  reply_percent: { warn: 90, bad: 70 },
  first_reply_s: { warn: 60, bad: 180 },
  rating: { warn: 4.5, bad: 4 },
  abandoned_percent: { warn: 5, bad: 10 },
  silent_s: 180,
};

function wall(changes: Partial<Wall>): Wall {
  return {
    agents: [],
    pools: [],
    waiting: [],
    unanswered: [],
    waiting_most: 50,
    queued: 0,
    in_service: 0,
    wrap_up: 0,
    collaborations: [],
    alarms: [],
    at: ago(0),
    work: [],
    thresholds: THRESHOLDS,
    figures: null,
    ...changes,
  };
}

describe("levels", () => {
  it("become worse exactly at their bounds", () => {
    expect([119, 120, 599, 600].map((s) => rising(s, THRESHOLDS.waiting_s))).toEqual(["calm", "warn", "warn", "bad"]);
    expect([95, 90, 89, 70, 69].map((share) => falling(share, THRESHOLDS.reply_percent))).toEqual([
      "calm", "calm", "warn", "warn", "bad",
    ]); // prettier-ignore
  });

  it("are calm where there is nothing to judge, and where the shop set no bounds", () => {
    expect([rising(null, THRESHOLDS.load_percent), falling(null, THRESHOLDS.rating)]).toEqual(["calm", "calm"]);
    expect([rising(1e9, THRESHOLDS.queued), falling(0, null)]).toEqual(["calm", "calm"]);
  });

  it("of two figures in one tile the worse counts", () => {
    expect([worse("calm", "warn"), worse("bad", "warn"), worse("calm", "calm")]).toEqual(["warn", "bad", "calm"]);
  });
});

describe("a waiting time", () => {
  it("is never negative when the clocks differ", () => {
    expect(secondsSince(ago(-5), NOW)).toBe(0);
  });

  it("is written like a stop-watch", () => {
    expect([0, 7, 760, 3599, 3600, 10_929].map(clock)).toEqual(["0:00", "0:07", "12:40", "59:59", "1:00:00", "3:02:09"]);
  });
});

describe("the agents table", () => {
  it("gives everybody their own unanswered customers, and since when the first waits", () => {
    const rows = agentRows(
      wall({ agents: [agent("a"), agent("b")], work: [work("a", 2, 90)] }),
      NOW,
    );
    expect(rows.map((row) => [row.card.name, row.unanswered, row.longest])).toEqual([
      ["a", 2, ago(90)],
      ["b", 0, null],
    ]);
  });

  it("tells who is online without a connection from who is online and silent", () => {
    const agents = [
      agent("lost", { connected: false }),
      agent("silent"),
      agent("late"),
      agent("busy"),
      agent("away", { status: "offline", connected: false }),
    ];
    const rows = agentRows(wall({ agents, work: [work("silent", 1, 180, 200), work("late", 1, 179), work("busy", 1, 900, 20)] }), NOW);
    expect(rows.map((row) => row.trouble)).toEqual(["lost", "silent", null, null, null]);
  });

  it("stands in the same order whatever order the server sends", () => {
    const agents = [agent("c", { status: "offline" }), agent("b", { load: 2 }), agent("a", { status: "paused", load: 4 })];
    const names = (by: Parameters<typeof sorted>[1], down: boolean, of: AgentCard[]): string =>
      sorted(agentRows(wall({ agents: of }), NOW), by, down).map((row) => row.card.name).join("");
    expect(names("status", false, agents)).toBe("bac");
    expect(names("status", false, agents.toReversed())).toBe("bac");
    expect(names("name", true, agents)).toBe("cba");
    expect(names("load", true, agents)).toBe("abc");
  });

  it("puts whose customer waits longest first when sorted by that", () => {
    const agents = [agent("a"), agent("b"), agent("c")];
    const rows = agentRows(wall({ agents, work: [work("b", 3, 10), work("c", 1, 60)] }), NOW);
    expect(sorted(rows, "waiting", true).map((row) => row.card.name)).toEqual(["b", "c", "a"]);
    expect(sorted(rows, "longest", true).map((row) => row.card.name)).toEqual(["c", "b", "a"]);
  });
});

describe("the tiles", () => {
  it("leave those who are offline out of the load", () => {
    const shown = wall({ agents: [agent("a", { load: 3 }), agent("b", { status: "offline", load: 2 })] });
    const all = totals(shown, agentRows(shown, NOW));
    expect([all.load, all.capacity, all.byStatus]).toEqual([3, 4, { online: 1, paused: 0, offline: 1 }]);
  });

  it("know who has waited longest in any queue, also of those whom the table leaves out", () => {
    const pool = (name: string, oldest_at: string | null, length = 1): PoolCard => ({
      pool: name,
      length,
      oldest_at,
      groups: [],
      open_to_everybody: true,
    });
    const pools = [pool("placed_unpaid", ago(5)), pool("after_sale", ago(70)), pool("default", null, 0)];
    const shown = wall({ pools });
    expect(totals(shown, []).oldestWaiting).toBe(ago(70));
    expect(busyPools(pools).map((each) => each.pool)).toEqual(["after_sale", "placed_unpaid"]);
  });
});

describe("the lists of a group", () => {
  const pool = (name: string, groups: string[], open = false): PoolCard => ({
    pool: name,
    groups,
    length: 1,
    oldest_at: ago(5),
    open_to_everybody: open,
  });
  const waits = (name: string, owner: string | null = null): WaitingCard => ({
    conversation_id: name,
    customer_name: "customer",
    state: owner === null ? "queued" : "active",
    pool: owner === null ? name : null,
    owner: owner === null ? null : { kind: "agent", id: owner, name: owner },
    order_state: "no_active_order",
    since: ago(9),
  });
  const shop = wall({
    agents: [agent("lin", { groups: ["after"] }), agent("chen", { groups: ["pre"] })],
    pools: [pool("after_sale", ["after"]), pool("placed_unpaid", ["pre"]), pool("trade_done", ["pre"], true), pool("default", [])],
    waiting: [waits("after_sale"), waits("placed_unpaid"), waits("trade_done"), waits("default")],
    unanswered: [waits("one", "lin"), waits("two", "chen")],
  });

  it("are its members, what waits for it or for everybody, and what its members serve", () => {
    const lists = ofGroup(shop, "after");
    expect(lists.agents.map((each) => each.name)).toEqual(["lin"]);
    expect(lists.pools.map((each) => each.pool)).toEqual(["after_sale", "trade_done", "default"]);
    expect(lists.waiting.map((each) => each.conversation_id)).toEqual(["after_sale", "trade_done", "default"]);
    expect(lists.unanswered.map((each) => each.owner?.id)).toEqual(["lin"]);
  });
  it("of no group are the whole wall", () => {
    expect(ofGroup(shop, "")).toBe(shop);
  });
});
