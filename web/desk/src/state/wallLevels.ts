/** From when on a figure on the wall deserves a look (`warn`) or an act (`bad`), by the shop's settings. Pure. */

import type { Bounds } from "@pointsman/shared";

export type Level = "calm" | "warn" | "bad";

/** The more the worse; calm where there is nothing to judge, or nothing to judge it by. */
export function rising(value: number | null, bounds: Bounds | null): Level {
  if (value === null || bounds === null) return "calm";
  return value >= bounds.bad ? "bad" : value >= bounds.warn ? "warn" : "calm";
}

/** The less the worse. */
export function falling(value: number | null, bounds: Bounds | null): Level {
  if (value === null || bounds === null) return "calm";
  return value < bounds.bad ? "bad" : value < bounds.warn ? "warn" : "calm";
}

/** The worse of two. */
export function worse(one: Level, other: Level): Level {
  return one === "bad" || other === "bad" ? "bad" : one === "warn" || other === "warn" ? "warn" : "calm";
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
