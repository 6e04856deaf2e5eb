/** Between instants and what a clock in some time zone shows. Pure; the zones are the browser's own table. */

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = FORMATS.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    FORMATS.set(zone, format);
  }
  return format;
}

/** Clocks are changed at full quarters of an hour; asking the browser's table costs microseconds, and logs are long. */
const QUARTER_MS = 900_000;
const KEPT_MOST = 4096;
const kept = new Map<string, number>();

/** How far the zone's clocks are ahead of UTC at an instant. */
export function offsetMs(zone: string, at: number): number {
  const key = `${zone} ${Math.floor(at / QUARTER_MS)}`;
  let offset = kept.get(key);
  if (offset === undefined) {
    if (kept.size >= KEPT_MOST) kept.clear();
    offset = lookedUp(zone, at);
    kept.set(key, offset);
  }
  return offset;
}

function lookedUp(zone: string, at: number): number {
  const shown: Record<string, number> = {};
  for (const part of formatOf(zone).formatToParts(at)) shown[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/**
 * `2026-12-25T09:30` on the zone's clocks as an instant; null: it is no time. Of an hour that comes twice it is the
 * second; of one that is left out, as much later as was left out.
 */
export function instantIn(zone: string, local: string): string | null {
  const wall = Date.parse(`${local}Z`);
  if (local === "" || Number.isNaN(wall)) return null;
  const guess = wall - offsetMs(zone, wall);
  return new Date(wall - offsetMs(zone, guess)).toISOString();
}

/** An instant as a browser's field has it, on the zone's clocks, to the minute. */
export function localIn(zone: string, instant: string | null): string {
  if (instant === null) return "";
  const at = Date.parse(instant);
  return new Date(at + offsetMs(zone, at)).toISOString().slice(0, 16);
}

/** `2026-12-25`: the day that it is there. */
export function dayIn(zone: string, at: number): string {
  return localIn(zone, new Date(at).toISOString()).slice(0, 10);
}
