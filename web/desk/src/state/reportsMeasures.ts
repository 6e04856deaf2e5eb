/** The measures of a report as columns: what each is called, how it is read out of a line, how it is written. Pure. */

import { type ReportLine, type Times, type Wanted, addDays, dayOf, dayStart } from "./reports";

export type Kind = "count" | "time" | "share" | "rating";
type TimesKey = "first_responses" | "responses" | "resolutions" | "queue_waits" | "collaboration_times" | "items_done";
type CountKey =
  | "opened" | "assigned" | "closed" | "abandoned" | "unanswered" | "served_by_several" | "transfers_in"
  | "transfers_out" | "cross_group_tries" | "messages_customer" | "messages_agent" | "messages_bot" | "notes"
  | "collaborations"; // prettier-ignore
type StateKey = "online_ms" | "paused_ms" | "offline_ms" | "away_ms";
export type MeasureKey = CountKey | TimesKey | StateKey | "within_3_min" | "ratings" | "ratings_count";
export type Part = "median" | "p95" | "longest" | "count";

export interface Column {
  /** unique, and the name in addresses and files */
  id: string;
  /** key of its name and its definition */
  measure: MeasureKey;
  /** of durations: which of their figures */
  part: Part | null;
  kind: Kind;
  of: (line: ReportLine) => number | null;
}

const count = (measure: CountKey): Column => ({ id: measure, measure, part: null, kind: "count", of: (line) => line[measure] });

const FIGURE: Record<Part, (times: Times) => number | null> = {
  median: (times) => times.median_ms,
  p95: (times) => times.p95_ms,
  longest: (times) => times.longest_ms,
  count: (times) => times.count,
};

const time = (measure: TimesKey, part: Part): Column => ({
  id: `${measure}_${part}`,
  measure,
  part,
  kind: part === "count" ? "count" : "time",
  of: (line) => FIGURE[part](line[measure]),
});

const spent = (measure: StateKey): Column => ({ id: measure, measure, part: null, kind: "time", of: (line) => line[measure] });

const WITHIN: Column = { id: "within_3_min", measure: "within_3_min", part: null, kind: "share", of: (line) => line.within_3_min };
const RATING: Column = { id: "ratings", measure: "ratings", part: null, kind: "rating", of: (line) => line.ratings.mean };
const RATINGS: Column = {
  id: "ratings_count",
  measure: "ratings_count",
  part: null,
  kind: "count",
  of: (line) => line.ratings.count,
};

export const SETS = {
  volume: [
    count("opened"), count("assigned"), count("closed"), count("abandoned"), count("unanswered"),
    count("served_by_several"),
  ],
  replies: [
    time("queue_waits", "count"), time("queue_waits", "median"), time("queue_waits", "p95"),
    time("first_responses", "median"), time("first_responses", "p95"), time("responses", "count"),
    time("responses", "median"), time("responses", "p95"), WITHIN, time("resolutions", "median"),
  ],
  people: [
    count("transfers_in"), count("transfers_out"), count("cross_group_tries"), count("messages_customer"),
    count("messages_agent"), count("messages_bot"), count("notes"),
  ],
  quality: [
    RATING, RATINGS, count("collaborations"), time("collaboration_times", "median"), time("items_done", "count"),
    time("items_done", "median"),
  ],
  states: [spent("online_ms"), spent("paused_ms"), spent("offline_ms"), spent("away_ms"), count("assigned"), count("closed")],
} satisfies Record<string, Column[]>; // prettier-ignore
export type SetName = keyof typeof SETS;
/** Each once, though a set may show it again. */
export const COLUMNS: Column[] = [...new Map(Object.values(SETS).flat().map((each) => [each.id, each])).values()];
export const MEASURES: MeasureKey[] = [...new Set(COLUMNS.map((column) => column.measure))];
/** What stands above everything: the figures that are asked for first. */
export const HEADLINE = ["opened", "closed", "abandoned", "queue_waits_median", "first_responses_median", "within_3_min", "resolutions_median", "ratings"]
  .map((id) => COLUMNS.find((column) => column.id === id) as Column); // prettier-ignore

const short = (value: number, unit: "second" | "millisecond", digits: number, language: string): string =>
  new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "narrow", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** A duration as people say it: 0.9s, 4.2s, 3:05, 2:10:00. */
export function duration(ms: number, language: string): string {
  if (ms < 60_000) return short(ms / 1000, "second", 1, language);
  const s = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const h = Math.floor(s / 3600);
  return h > 0 ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

export function written(value: number | null, kind: Kind, language: string): string {
  if (value === null) return "–";
  switch (kind) {
    case "time":
      return duration(value, language);
    case "share":
      return `${(value * 100).toLocaleString(language, { maximumFractionDigits: 1 })}%`;
    case "rating":
      return value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    case "count":
      return value.toLocaleString(language);
  }
}

/** When each stretch of a report begins, up to now: what has no line did not happen, and is drawn as nothing. */
export function buckets(wanted: Wanted, zone: string, nowMs: number): number[] {
  const end = Math.min(nowMs, dayStart(addDays(wanted.last, 1), zone).getTime());
  const begin = dayStart(wanted.first, zone).getTime();
  if (wanted.step === "total") return [begin];
  const found: number[] = [];
  if (wanted.step === "day") {
    for (let day = wanted.first; day <= wanted.last; day = addDays(day, 1)) {
      const at = dayStart(day, zone).getTime();
      if (at < end) found.push(at);
    }
    return found;
  }
  const step = wanted.step === "hour" ? 3_600_000 : 1_800_000;
  for (let at = begin; at < end; at += step) found.push(at);
  return found;
}

export interface Series {
  key: string;
  name: string;
  values: (number | null)[];
  /** of the time that this one is compared with */
  before?: true;
}

/** One line of the chart per key. A count that has no line is 0, any other figure there is none. */
export function series(lines: ReportLine[], column: Column, at: number[], nameOf: (line: ReportLine) => string): Series[] {
  const index = new Map(at.map((moment, i) => [moment, i]));
  const found = new Map<string, Series>();
  for (const line of lines) {
    const i = index.get(Date.parse(line.from));
    if (i === undefined) continue;
    const key = line.key ?? "";
    let one = found.get(key);
    if (one === undefined) {
      const nothing = column.kind === "count" ? 0 : null;
      one = { key, name: nameOf(line), values: at.map(() => nothing) };
      found.set(key, one);
    }
    one.values[i] = column.of(line);
  }
  return [...found.values()].sort((a, b) => weight(b) - weight(a) || a.name.localeCompare(b.name));
}

const weight = (one: Series): number => one.values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

/** For each line the one of the same key as long after the beginning of the other time; `shiftDays` lies between. */
export function counterparts(lines: ReportLine[], others: ReportLine[], shiftDays: number, zone: string): Map<ReportLine, ReportLine> {
  const place = (line: ReportLine, shift: number): string => {
    const at = Date.parse(line.from);
    const day = dayOf(at, zone);
    return `${addDays(day, shift)} ${at - dayStart(day, zone).getTime()} ${line.key}`;
  };
  const found = new Map(others.map((line) => [place(line, shiftDays), line]));
  return new Map(lines.flatMap((line) => {
    const other = found.get(place(line, 0));
    return other === undefined ? [] : [[line, other] as const];
  })); // prettier-ignore
}

/** How many were opened: seven days from Monday, 24 hours each. */
export function heat(lines: ReportLine[], zone: string): number[][] {
  const days = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
  const hour = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", hourCycle: "h23" });
  for (const line of lines) {
    const at = Date.parse(line.from);
    const weekday = (new Date(`${dayOf(at, zone)}T00:00:00Z`).getUTCDay() + 6) % 7;
    const row = days[weekday] as number[];
    const h = Number(hour.format(at));
    row[h] = (row[h] ?? 0) + line.opened;
  }
  return days;
}
