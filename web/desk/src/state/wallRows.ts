/** What the wall's tiles and its agents table are made of, drawn from one `Wall`. Pure. */

import type { AgentCard, PoolCard, Wall, WaitingCard } from "@pointsman/shared";
import { BOUNDS, secondsSince } from "./wallLevels";

export interface AgentRow {
  card: AgentCard;
  /** how many of their customers wait for an answer, and since when the first of them */
  unanswered: number;
  longest: string | null;
  /** `lost`: says to be online, and no connection is there; `silent`: online, and somebody waits too long */
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

export type AgentSort = "name" | "status" | "load" | "received" | "unanswered";

export function agentRows(wall: Wall, nowMs: number): AgentRow[] {
  const waiting = new Map<string, WaitingCard[]>();
  for (const each of wall.unanswered) {
    const owner = each.owner?.id;
    if (owner) waiting.set(owner, [...(waiting.get(owner) ?? []), each]);
  }
  return wall.agents.map((card) => {
    const theirs = waiting.get(card.account_id) ?? [];
    const longest = theirs.map((each) => each.since).sort()[0] ?? null;
    return { card, unanswered: theirs.length, longest, trouble: trouble(card, longest, nowMs) };
  });
}

function trouble(card: AgentCard, longest: string | null, nowMs: number): AgentRow["trouble"] {
  if (card.status === "online" && !card.connected) return "lost";
  const late = longest !== null && secondsSince(longest, nowMs) >= BOUNDS.unanswered_s[1];
  return card.status === "online" && late ? "silent" : null;
}

/** The same rows in the same order every time, so that nothing jumps while one looks at it. */
export function sorted(rows: AgentRow[], by: AgentSort, down: boolean): AgentRow[] {
  const key = (row: AgentRow): number => {
    switch (by) {
      case "load":
        return row.card.load / Math.max(1, row.card.capacity);
      case "received":
        return row.card.received_today;
      case "unanswered":
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
    unanswered: wall.unanswered.length,
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
