/** When to come back after a socket ended: the policy that the number ranges of close codes carry. Pure. */

export interface Patience {
  openMs: number;
  replyMs: number;
  firstMs: number;
  longestMs: number;
  /** at most, after a close code of the range 4200-4299 */
  soonMs: number;
  /** a session that lived this long starts the doubling anew */
  stableMs: number;
  /** for a missing message to come by itself, before it is fetched */
  gapMs: number;
}

export const PATIENCE: Patience = {
  openMs: 10_000,
  replyMs: 10_000,
  firstMs: 500,
  longestMs: 30_000,
  soonMs: 1000,
  stableMs: 10_000,
  gapMs: 50,
};

/** How a connection ended, or why there was none. `waitMs` is what the server asked for. */
export interface Ended {
  code: number;
  reason: string;
  waitMs?: number | undefined;
}

/** 4000-4099: coming back would end the same way. */
export function isFinal(ended: Ended): boolean {
  return ended.code >= 4000 && ended.code < 4100;
}

/**
 * Milliseconds until the next try; `attempt` counts tries since the last stable session, from 0. `random` gives [0, 1).
 *
 * 4200-4299: soon, at first. Everything else: doubling, with jitter of a half, so that the clients of a lost node do
 * not come back in step. Never before the time that the server named.
 */
export function delayMs(
  ended: Ended,
  attempt: number,
  patience: Patience = PATIENCE,
  random: () => number = Math.random,
): number {
  const soon = ended.code >= 4200 && ended.code < 4300 && attempt === 0;
  const delay = soon
    ? random() * patience.soonMs
    : Math.min(patience.firstMs * 2 ** Math.min(attempt, 20), patience.longestMs) * (0.5 + random() / 2);
  return delay + (ended.waitMs ?? 0);
}
