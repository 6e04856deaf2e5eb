/** What the reports page shows, fetched together; what was asked for later wins. */

import { type ComputedRef, type Ref, ref, shallowRef, watch } from "vue";
import { api } from "../api";
import {
  type Comparison, DAYS_MAX, type Report, type ReportLine, type Wanted, days, fetchReport, periodBefore, shiftOf, span,
} from "./reports"; // prettier-ignore
import { counterparts, heat } from "./reportsMeasures";
import { fetchOutcomes, type OutcomeReport } from "./reportsOutcomes";
import { loadShopZone, setShopZone, shopZone } from "./shopClock";
import { why } from "./wallWords";

export interface Colleague {
  agent: { id: string | null; name: string };
  joined: number;
  items_done: number;
  median_s: number | null;
}

/** Somebody, or a group, that the report may be narrowed to. */
export interface Choice {
  id: string;
  name: string;
}

export interface Shown {
  report: Report;
  total: ReportLine | null;
  /** the other time, when one is compared with: as a whole, and line by line */
  before: ReportLine | null;
  others: Map<ReportLine, ReportLine> | null;
  week: number[][] | null;
  colleagues: Colleague[];
  outcomes: OutcomeReport;
  agents: Choice[];
  groups: Choice[];
}

/** The shop's time zone: days are the shop's, whatever the browser's clock says. */
export const zone = shopZone;

export function useLook(
  wanted: ComputedRef<Wanted>,
  compare: ComputedRef<Comparison | null>,
  problem: ComputedRef<string>,
): { shown: Ref<Shown | null>; failed: Ref<string>; loading: Ref<boolean>; look: () => Promise<void> } {
  const shown = shallowRef<Shown | null>(null);
  const failed = ref("");
  const loading = ref(false);
  let turns = 0;

  const known = ref(false);

  async function look(): Promise<void> {
    if (problem.value !== "" || !known.value) return;
    const turn = (turns += 1);
    loading.value = true;
    failed.value = "";
    try {
      const found = await fetched(wanted.value, compare.value);
      if (turn === turns && found !== null) shown.value = found;
    } catch (error) {
      if (turn === turns) failed.value = why(error);
    } finally {
      if (turn === turns) loading.value = false;
    }
  }

  watch(() => JSON.stringify([wanted.value, compare.value, zone.value, known.value]), look);
  void loadShopZone().finally(() => (known.value = true));
  return { shown, failed, loading, look };
}

/** Null: the days are other ones than was thought, and are asked for again. */
async function fetched(now: Wanted, compare: Comparison | null): Promise<Shown | null> {
  const whole: Wanted = { ...now, step: "total", by: "shop" };
  const report = await fetchReport(now, zone.value);
  if (report.timezone !== zone.value) {
    setShopZone(report.timezone);
    return null;
  }
  const [total, before, other, hours, joint, agents, groups, outcomes] = await Promise.all([
    fetchReport(whole, zone.value),
    compare === null ? null : fetchReport(periodBefore(whole, compare), zone.value),
    compare === null ? null : fetchReport(periodBefore(now, compare), zone.value),
    days(now) <= DAYS_MAX.hour ? fetchReport({ ...now, step: "hour", by: "shop" }, zone.value) : null,
    api.ask<{ agents: Colleague[] }>("GET", `/v1/statistics/collaboration?${new URLSearchParams(span(now, zone.value))}`),
    fetchReport({ ...whole, by: "agent" }, zone.value),
    fetchReport({ ...whole, by: "group" }, zone.value),
    fetchOutcomes(now, zone.value),
  ]);
  return {
    report,
    total: total.lines[0] ?? null,
    before: before?.lines[0] ?? null,
    others:
      compare === null || other === null
        ? null
        : counterparts(report.lines, other.lines, shiftOf(now, compare), zone.value),
    week: hours === null ? null : heat(hours.lines, zone.value),
    colleagues: joint.agents,
    outcomes,
    agents: choices(agents),
    groups: choices(groups),
  };
}

function choices(report: Report): Choice[] {
  return report.lines.flatMap((line) => (line.key === null ? [] : [{ id: line.key, name: line.name || line.key }]));
}
