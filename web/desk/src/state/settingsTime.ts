/** Lengths of time and times of day, between how the server has them and how people write them. */

export const UNITS = { s: 1, min: 60, h: 3600, d: 86_400 } as const;
export type Unit = keyof typeof UNITS;

/** The largest unit in which the seconds are a whole number. */
export function unitOf(seconds: number): Unit {
  if (seconds === 0) return "min";
  const fitting = (["d", "h", "min"] as const).find((unit) => seconds % UNITS[unit] === 0);
  return fitting ?? "s";
}

export interface Stretch {
  start_minute: number;
  end_minute: number;
  group_id?: string | null;
}

const DAY = 1440;

/** `09:30`; of a minute of the day after, its time there. */
export function clockOf(minute: number): string {
  const within = minute % DAY;
  return `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
}

export function minuteOf(clock: string): number | null {
  const found = /^([01]\d|2[0-3]):([0-5]\d)/.exec(clock);
  return found ? Number(found[1]) * 60 + Number(found[2]) : null;
}

/** Ends on the day after when its end is not after its start: 22:00 to 06:00, and 00:00 to 00:00 for a whole day. */
export function endOf(start: number, clock: string): number | null {
  const end = minuteOf(clock);
  if (end === null) return null;
  return end > start ? end : end + DAY;
}
