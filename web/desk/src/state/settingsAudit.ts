/** The audit log as the server gives it, and as a spreadsheet takes it. */

export interface AuditRecord {
  id: string;
  at: string;
  actor_kind: string;
  actor_id: string;
  actor_name: string;
  action: string;
  /** what the request or the route needs; empty when the action is neither */
  right: string;
  subject_kind: string;
  subject_id: string;
  outcome: "done" | "refused";
  reason: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  source: Record<string, string>;
}

export interface Wanted {
  q: string;
  actor: string;
  action: string;
  outcome: "" | "done" | "refused";
  /** instants; null: no bound */
  from: string | null;
  before: string | null;
}

export const ANYTHING: Wanted = { q: "", actor: "", action: "", outcome: "", from: null, before: null };

/** The query of a page; `cursor` null: the first. */
export function auditQuery(wanted: Wanted, cursor: string | null, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const key of ["q", "actor", "action", "outcome"] as const) {
    if (wanted[key].trim() !== "") query.set(key, wanted[key].trim());
  }
  for (const key of ["from", "before"] as const) {
    const at = wanted[key];
    if (at !== null) query.set(key, at);
  }
  if (cursor !== null) query.set("cursor", cursor);
  return `/v1/audit?${query}`;
}

const COLUMNS = [
  "at",
  "actor_kind",
  "actor_id",
  "actor_name",
  "action",
  "subject_kind",
  "subject_id",
  "outcome",
  "reason",
  "before",
  "after",
  "source",
  "id",
] as const;

/** One cell; what a spreadsheet would take for a formula is marked as text. */
function cell(value: unknown): string {
  const text = value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** With the columns that the server's own CSV has. */
export function auditCsv(records: readonly AuditRecord[]): string {
  const lines = records.map((record) => COLUMNS.map((column) => cell(record[column])).join(","));
  return [COLUMNS.join(","), ...lines, ""].join("\r\n");
}
