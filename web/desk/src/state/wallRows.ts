/** What the wall's tiles and its agents table are made of, drawn from one `Wall`. Pure. */

import type { AgentCard, AgentWork, PoolCard, Wall } from "@pointsman/shared";
import { secondsSince } from "./wallLevels";

export interface AgentRow {
  card: AgentCard;
  /** conversations in service */
  serving: number;
  /** how many of their customers wait for an answer, and since when the first of them */
  unanswered: number;
  longest: string | null;
  /** `lost`: says to be online, and no connection is there; `silent`: online, somebody waits, and not a word to anybody */
  trouble: "lost" | "silent" | null;
}

export interface Totals {
  byStatus: Record<AgentCard["status"], number>;
  troubled: number;
  /** what the people online hold, of what they may hold */
  load: number;
  capacity: number;
  oldestWaiting: string | null;
  oldestUnanswered: string | null;
  unanswered: number;
}

const ORDER: Record<AgentCard["status"], number> = { online: 0, paused: 1, offline: 2 };

export type AgentSort = "name" | "status" | "load" | "received" | "waiting" | "longest";

export function agentRows(wall: Wall, nowMs: number): AgentRow[] {
  const works = new Map(wall.work.map((work) => [work.account_id, work]));
  return wall.agents.map((card) => {
    const work = works.get(card.account_id);
    return {
      card,
      serving: work?.in_service ?? 0,
      unanswered: work?.unanswered ?? 0,
      longest: work?.unanswered_since ?? null,
      trouble: trouble(card, work, wall.thresholds.silent_s, nowMs),
    };
  });
}

function trouble(card: AgentCard, work: AgentWork | undefined, silentS: number, nowMs: number): AgentRow["trouble"] {
  if (card.status !== "online") return null;
  if (!card.connected) return "lost";
  if (!work?.unanswered_since || secondsSince(work.unanswered_since, nowMs) < silentS) return null;
  // Who is busy with the others is late, and not silent.
  return work.wrote_at !== null && secondsSince(work.wrote_at, nowMs) < silentS ? null : "silent";
}

/** The same rows in the same order every time, so that nothing jumps while one looks at it. */
export function sorted(rows: AgentRow[], by: AgentSort, down: boolean): AgentRow[] {
  const key = (row: AgentRow): number => {
    switch (by) {
      case "load":
        return row.card.load / Math.max(1, row.card.capacity);
      case "received":
        return row.card.received_today;
      case "waiting":
        return row.unanswered;
      case "longest":
        return row.longest === null ? 0 : -Date.parse(row.longest) + 1e15;
      case "status":
        return ORDER[row.card.status];
      case "name":
        return 0;
    }
  };
  const sign = down ? -1 : 1;
  return [...rows].sort(
    (a, b) => sign * (key(a) - key(b)) || (by === "name" ? sign : 1) * byName(a, b),
  );
}

function byName(a: AgentRow, b: AgentRow): number {
  return a.card.name.localeCompare(b.card.name) || a.card.account_id.localeCompare(b.card.account_id);
}

export function totals(wall: Wall, rows: AgentRow[]): Totals {
  const byStatus = { online: 0, paused: 0, offline: 0 };
  let load = 0;
  let capacity = 0;
  for (const { card } of rows) {
    byStatus[card.status] += 1;
    if (card.status !== "offline") load += card.load;
    if (card.status !== "offline") capacity += card.capacity;
  }
  return {
    byStatus,
    troubled: rows.filter((row) => row.trouble !== null).length,
    load,
    capacity,
    oldestWaiting: earliest(wall.pools.map((pool) => pool.oldest_at)),
    oldestUnanswered: earliest(wall.unanswered.map((each) => each.since)),
    unanswered: wall.work.reduce((sum, work) => sum + work.unanswered, 0),
  };
}

/** What of the wall's lists concerns a group: its members, what waits for it or for everybody, what its members serve.
 * The tiles stay the shop's. Empty: everything. */
export function ofGroup(wall: Wall, group: string): Wall {
  if (group === "") return wall;
  const agents = wall.agents.filter((card) => card.groups.includes(group));
  const members = new Set(agents.map((card) => card.account_id));
  const pools = wall.pools.filter((pool) => pool.groups.includes(group) || pool.open_to_everybody || pool.groups.length === 0);
  const names = new Set(pools.map((pool) => pool.pool));
  const theirs = (card: { owner: { id: string | null } | null }): boolean => members.has(card.owner?.id ?? "");
  return {
    ...wall,
    agents,
    pools,
    waiting: wall.waiting.filter((card) => names.has(card.pool ?? "default")),
    unanswered: wall.unanswered.filter(theirs),
    collaborations: wall.collaborations.filter(theirs),
  };
}

/** The pools in which somebody waits, who waits longest first. */
export function busyPools(pools: PoolCard[]): PoolCard[] {
  return pools
    .filter((pool) => pool.length > 0)
    .sort((a, b) => (a.oldest_at ?? "~").localeCompare(b.oldest_at ?? "~") || a.pool.localeCompare(b.pool));
}

function earliest(moments: (string | null)[]): string | null {
  return moments.filter((each): each is string => each !== null).sort()[0] ?? null;
}
