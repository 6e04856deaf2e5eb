/** Automation rules as the server has them (`server/automation`), and what the editor does with them. */

import { ORDER_STATES } from "./settingsRouting";

export const TREES = ["all", "any", "not"] as const;
export const LEAVES = [
  "keyword",
  "customer_waits",
  "in_queue",
  "collaboration_open",
  "order_state",
  "pool",
  "group",
  "customer_tag",
  "priority",
  "state",
  "queue_length",
  "full_agents_percent",
  "participants",
  "time_of_day",
] as const;
export type TreeKind = (typeof TREES)[number];
export type LeafKind = (typeof LEAVES)[number];

export interface Condition {
  kind: TreeKind | LeafKind;
  of?: Condition[] | Condition;
  any_of?: string[];
  longer_than_s?: number;
  at_least?: number | null;
  at_most?: number | null;
  begins?: string;
  until?: string;
  weekdays?: number[];
}

export const ACTIONS = ["notify", "invite", "add", "hand_on", "set_priority", "note", "tag"] as const;
export type ActionKind = (typeof ACTIONS)[number];

export interface Action {
  kind: ActionKind;
  account_ids?: string[];
  account_id?: string | null;
  group_id?: string | null;
  reason?: string;
  priority?: "priority" | "normal";
  text?: string;
  owner?: boolean;
  stay?: boolean;
  add?: string[];
  remove?: string[];
}

export interface RuleDraft {
  name: string;
  enabled: boolean;
  conditions: Condition;
  actions: Action[];
  cooldown_s: number | null;
  valid_from: string | null;
  valid_until: string | null;
}

export interface Rule extends RuleDraft {
  id: string;
  position: number;
  rev: number;
}

export interface Finding {
  path: string;
  kind: LeafKind;
  wanted: unknown;
  found: unknown;
  holds: boolean;
}

/** The words there are for a kind; null: any, or those of the shop. */
export const WORDS: Partial<Record<LeafKind, readonly string[]>> = {
  order_state: ORDER_STATES,
  pool: ["default", ...ORDER_STATES],
  priority: ["priority", "normal"],
  state: ["queued", "active", "wrap_up"],
};
export const LASTING: readonly string[] = ["customer_waits", "in_queue", "collaboration_open"];
export const COUNTED: readonly string[] = ["participants", "queue_length", "full_agents_percent"];
/** levels of trees that the server takes */
export const DEEPEST = 5;

export const isTree = (kind: string): kind is TreeKind => (TREES as readonly string[]).includes(kind);

export function blankCondition(kind: Condition["kind"]): Condition {
  if (kind === "not") return { kind, of: blankCondition("keyword") };
  if (isTree(kind)) return { kind, of: [blankCondition("keyword")] };
  if (LASTING.includes(kind)) return { kind, longer_than_s: 300 };
  if (COUNTED.includes(kind)) return { kind, at_least: kind === "full_agents_percent" ? 80 : 5, at_most: null };
  if (kind === "time_of_day") return { kind, begins: "09:00", until: "18:00", weekdays: [0, 1, 2, 3, 4, 5, 6] };
  return { kind, any_of: [] };
}

/** Another kind in its place; a tree keeps what is in it. */
export function asKind(condition: Condition, kind: Condition["kind"]): Condition {
  if (!isTree(kind)) return isTree(condition.kind) || condition.kind !== kind ? blankCondition(kind) : condition;
  const parts = partsOf(condition);
  if (parts.length === 0) return kind === "not" ? { kind, of: condition } : { kind, of: [condition] };
  if (kind !== "not") return { kind, of: parts };
  return { kind, of: parts.length === 1 ? (parts[0] as Condition) : { kind: "all", of: parts } };
}

export function partsOf(condition: Condition): Condition[] {
  if (!isTree(condition.kind) || condition.of === undefined) return [];
  return Array.isArray(condition.of) ? condition.of : [condition.of];
}

export function withParts(condition: Condition, parts: Condition[]): Condition {
  return { ...condition, of: condition.kind === "not" ? (parts[0] as Condition) : parts };
}

export function blankAction(kind: ActionKind): Action {
  switch (kind) {
    case "invite":
      return { kind, account_ids: [], group_id: null, reason: "" };
    case "add":
      return { kind, account_ids: [] };
    case "set_priority":
      return { kind, priority: "priority" };
    case "notify":
      return { kind, account_ids: [], group_id: null, text: "", owner: false };
    case "hand_on":
      return { kind, account_id: null, group_id: null, stay: false };
    case "note":
      return { kind, text: "" };
    case "tag":
      return { kind, add: [], remove: [] };
  }
}

export function blankRule(): RuleDraft {
  return {
    name: "",
    enabled: true,
    conditions: { kind: "all", of: [blankCondition("keyword")] },
    actions: [blankAction("notify")],
    cooldown_s: null,
    valid_from: null,
    valid_until: null,
  };
}

/** Words as somebody types them: between commas of any script, or lines. */
export function wordsIn(text: string): string[] {
  const words = text.split(/[,，、;；\n]/).map((each) => each.trim());
  return [...new Set(words.filter((each) => each !== ""))];
}

/** One place up or down; at the end it stays. */
export function moved<T>(list: readonly T[], from: number, by: -1 | 1): T[] {
  const to = from + by;
  const next = [...list];
  if (to < 0 || to >= next.length) return next;
  [next[from], next[to]] = [next[to] as T, next[from] as T];
  return next;
}

export interface Speech {
  t(key: string, values?: Record<string, unknown>): string;
  nameOf(id: string): string;
}

function wordOf(kind: string, word: string, { t, nameOf }: Speech): string {
  if (kind === "order_state" || kind === "pool") return t(`words.order_state.${word}`);
  if (kind === "priority") return t(`settings.rules.${word}`);
  if (kind === "state") return t(`words.life.${word}`);
  return kind === "group" ? nameOf(word) : word;
}

function length(seconds: number, { t }: Speech): string {
  const [n, unit] = seconds % 3600 === 0 ? [seconds / 3600, "h"] : seconds % 60 === 0 ? [seconds / 60, "min"] : [seconds, "s"];
  return `${n} ${t(`settings.unit.${unit}`)}`;
}

/** A condition as a sentence. */
export function sayCondition(condition: Condition, speech: Speech): string {
  const { t } = speech;
  const name = t(`settings.rules.kind.${condition.kind}`);
  if (condition.kind === "not") return t("settings.rules.say_not", { what: sayCondition(partsOf(condition)[0] ?? blankCondition("keyword"), speech) });
  if (isTree(condition.kind)) {
    const parts = partsOf(condition).map((part) => {
      const said = sayCondition(part, speech);
      return isTree(part.kind) && part.kind !== "not" && partsOf(part).length > 1 ? `(${said})` : said;
    });
    return parts.join(t(condition.kind === "all" ? "settings.rules.and" : "settings.rules.or"));
  }
  if (condition.longer_than_s !== undefined) return `${name} ≥ ${length(condition.longer_than_s, speech)}`;
  if (condition.kind === "time_of_day") return `${condition.begins}–${condition.until}`;
  if (COUNTED.includes(condition.kind)) {
    const bounds = [condition.at_least != null ? `≥ ${condition.at_least}` : "", condition.at_most != null ? `≤ ${condition.at_most}` : ""];
    return `${name} ${bounds.filter(Boolean).join(", ")}`;
  }
  return `${name}: ${(condition.any_of ?? []).map((word) => wordOf(condition.kind, word, speech)).join(" / ")}`;
}

/** An action as a sentence. */
export function sayAction(action: Action, speech: Speech): string {
  const { t, nameOf } = speech;
  const name = t(`settings.rules.action.${action.kind}`);
  const who = [
    ...(action.owner ? [t("settings.rules.the_owner")] : []),
    ...(action.account_ids ?? []).map(nameOf),
    ...[action.account_id, action.group_id].filter((id) => id != null).map(nameOf),
  ].join(", ");
  if (action.kind === "set_priority") return `${name}: ${t(`settings.rules.${action.priority}`)}`;
  if (action.kind === "tag") return `${name}: ${[...(action.add ?? []).map((tag) => `+${tag}`), ...(action.remove ?? []).map((tag) => `−${tag}`)].join(" ")}`;
  return [who ? `${name}: ${who}` : name, action.text ? `“${action.text}”` : ""].filter(Boolean).join(" ");
}
