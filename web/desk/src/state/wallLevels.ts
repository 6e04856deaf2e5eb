/** From when on a figure on the wall deserves a look (`warn`) or an act (`bad`). Pure. */

export type Level = "calm" | "warn" | "bad";

/** [warn, bad]; waiting as the workbench colours it, replies by the shop's usual slow-reply bounds. */
export const BOUNDS = {
  waiting_s: [120, 600],
  unanswered_s: [100, 180],
  load: [0.8, 1],
  reply_rate: [0.9, 0.7],
  rating: [4.5, 4],
} as const;

type Bounds = readonly [number, number];

/** The more the worse. */
export function rising(value: number | null, [warn, bad]: Bounds): Level {
  if (value === null) return "calm";
  return value >= bad ? "bad" : value >= warn ? "warn" : "calm";
}

/** The less the worse. */
export function falling(value: number | null, [warn, bad]: Bounds): Level {
  if (value === null) return "calm";
  return value < bad ? "bad" : value < warn ? "warn" : "calm";
}

/** Whole seconds from a moment on the server's clock; never negative, since clocks differ. */
export function secondsSince(since: string, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - Date.parse(since)) / 1000));
}

/** 0:07, 12:40, 3:02:09. */
export function clock(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const h = Math.floor(seconds / 3600);
  const m = Math.floor(seconds / 60) % 60;
  const s = Math.floor(seconds) % 60;
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
