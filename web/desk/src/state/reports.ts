/** Reports as the server gives them (docs/statistics.md), and what the page asks for. Pure but for `fetchReport`. */

import { api } from "../api";

export type Step = "half_hour" | "hour" | "day" | "total";
export type By = "shop" | "group" | "agent" | "order_state";
export const STEPS: Step[] = ["total", "day", "hour", "half_hour"];
export const BYS: By[] = ["shop", "group", "agent", "order_state"];

export interface Times {
  count: number;
  mean_ms: number | null;
  median_ms: number | null;
  p95_ms: number | null;
  longest_ms: number | null;
}

export interface ReportLine {
  from: string;
  to: string;
  key: string | null;
  name: string;
  opened: number;
  assigned: number;
  closed: number;
  abandoned: number;
  unanswered: number;
  served_by_several: number;
  transfers_in: number;
  transfers_out: number;
  cross_group_tries: number;
  messages_customer: number;
  messages_agent: number;
  messages_bot: number;
  notes: number;
  first_responses: Times;
  responses: Times;
  within_3_min: number | null;
  resolutions: Times;
  queue_waits: Times;
  ratings: { count: number; mean: number | null };
  collaborations: number;
  collaboration_times: Times;
  items_done: Times;
  online_ms: number;
  paused_ms: number;
  offline_ms: number;
  /** of `offline_ms`: without connection, though they chose another status */
  away_ms: number;
}

export interface Report {
  timezone: string;
  step: Step;
  by: By;
  lines: ReportLine[];
}

/** What is asked for: from the beginning of one day up to the end of another, as the browser's calendar writes them. */
export interface Wanted {
  first: string;
  last: string;
  step: Step;
  by: By;
}

/** A day of the calendar (`2026-11-22`) as its first moment in a time zone. */
export function dayStart(day: string, zone: string): Date {
  const guess = Date.parse(`${day}T00:00:00Z`);
  let at = guess - offsetMs(guess, zone);
  at = guess - offsetMs(at, zone); // across a change of the clock the first guess is an hour off
  return new Date(at);
}

function offsetMs(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).formatToParts(at); // prettier-ignore
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second")) - Math.floor(at / 1000) * 1000;
}

/** The calendar day in a zone. */
export function dayOf(at: number, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

export function addDays(day: string, days: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** With what it is compared: the time just before, or the same days of the week some weeks or about a year before. */
export type Comparison = "before" | "weeks" | "year";
export const COMPARISONS: Comparison[] = ["before", "weeks", "year"];

/** By how many days the other stretch of time lies before this one. */
export function shiftOf(wanted: Wanted, comparison: Comparison): number {
  const n = days(wanted);
  return { before: n, weeks: Math.ceil(n / 7) * 7, year: Math.max(364, Math.ceil(n / 7) * 7) }[comparison];
}

/** The other stretch of time, as long as this one. */
export function periodBefore(wanted: Wanted, comparison: Comparison = "before"): Wanted {
  const shift = shiftOf(wanted, comparison);
  return { ...wanted, first: addDays(wanted.first, -shift), last: addDays(wanted.last, -shift) };
}

/** The longest stretch, in days, that the server counts in steps of this length. */
export const DAYS_MAX: Record<Step, number> = { total: 3660, day: 1460, hour: 61, half_hour: 31 };

export function days(wanted: Wanted): number {
  return Math.round((Date.parse(wanted.last) - Date.parse(wanted.first)) / 86_400_000) + 1;
}

export function query(wanted: Wanted, zone: string): string {
  return new URLSearchParams({ ...span(wanted, zone), step: wanted.step, by: wanted.by }).toString();
}

export async function fetchReport(wanted: Wanted, zone: string): Promise<Report> {
  return await api.ask<Report>("GET", `/v1/statistics?${query(wanted, zone)}`);
}

/** The span of time alone, as query parameters. */
export function span(wanted: Wanted, zone: string): Record<"from" | "to", string> {
  return {
    from: dayStart(wanted.first, zone).toISOString(),
    to: dayStart(addDays(wanted.last, 1), zone).toISOString(),
  };
}
