/** Reports by result tag and by reason for the rating, as the server gives them. Pure but for `fetchOutcomes`. */

import { api } from "../api";
import { type By, span, type Wanted } from "./reports";

export interface OutcomeLine {
  key: string | null;
  name: string;
  kind: "result_tag" | "rating_reason";
  /** null: none was given */
  id: string | null;
  /** language -> words; of a tag its name, under the empty word */
  labels: Record<string, string>;
  conversations: number;
  of: number;
  ratings_count: number;
  ratings_mean: number | null;
}

export interface OutcomeReport {
  by: By;
  lines: OutcomeLine[];
}

/** What a tag or reason is called; its id when it is not known any more, null when none was given. */
export function labelOf(line: OutcomeLine, language: string): string | null {
  if (line.id === null) return null;
  return line.labels[""] ?? line.labels[language] ?? Object.values(line.labels)[0] ?? line.id;
}

export function shareOf(line: OutcomeLine): number {
  return line.of === 0 ? 0 : line.conversations / line.of;
}

export function outcomesQuery(wanted: Wanted, zone: string): string {
  return `/v1/statistics/outcomes?${new URLSearchParams({ ...span(wanted, zone), by: wanted.by })}`;
}

export async function fetchOutcomes(wanted: Wanted, zone: string): Promise<OutcomeReport> {
  return await api.ask<OutcomeReport>("GET", outcomesQuery(wanted, zone));
}
