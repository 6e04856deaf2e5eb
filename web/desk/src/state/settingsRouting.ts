/** Routing settings and the dry run, as the server gives them. */

import type { Difference } from "./settingsDiff";

export const ORDER_STATES = [
  "no_active_order",
  "placed_unpaid",
  "paid_unshipped",
  "shipped_unsigned",
  "trade_done",
  "after_sale",
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

export interface Policy {
  mode: "basic" | "grouped";
  distribution: "even" | "least_loaded";
  sticky_window_s: number;
  sticky_over_capacity: number | null;
  returning_customer_priority: boolean;
  new_customer_priority: boolean;
  new_customer_bought_within_s: number;
  new_customer_first_paid_within_s: number;
  offline_routing: boolean;
  offline_list: string[];
  bot: { enabled: boolean; account: string | null; keep_stickiness: boolean };
  order_state_groups: Partial<Record<OrderState, string[]>>;
  order_lookback_s: number;
  wrap_up_s: number;
  wrap_up_holds_slot: boolean;
  offline_after_s: Record<"web" | "desktop" | "mobile" | "bot", number | null>;
  requeue_after_s: number;
  default_capacity: number;
  timezone: string;
  recall_within_s: number;
  workbench: { first_reply_s: number; each_reply_s: number; slow_reply_s: number; vip_tags: string[] };
}

export interface Notice {
  field: string;
  word: string;
  about: string;
  problem: string;
}

export interface RoutingSettings {
  rev: number;
  policy: Policy;
  warnings: Notice[];
}

export interface Change {
  rev: number;
  at: string;
  by: string;
  note: string;
  diff: Difference[];
}

export interface Tier {
  kind: "agent" | "groups" | "random" | "offline_list" | "owner" | "pool";
  reason: string;
  agent: string | null;
  groups: string[];
  over_capacity: number | null;
  even_paused: boolean;
  hold: boolean;
  pool: string | null;
  now: string | null;
  taker: string | null;
}

export interface DryRunAnswer {
  order_state: OrderState;
  order_id: string | null;
  returning: boolean;
  new_customer: boolean;
  priority: boolean;
  tiers: Tier[];
}

/** A customer as the form of the dry run describes them; times as instants; null: never. */
export interface Described {
  state: OrderState | "";
  agent: string;
  contactAt: string | null;
  firstPaidAt: string | null;
  boughtAt: string | null;
  viaBot: boolean;
}

/** The body of a dry run. `policy`: try these settings instead of those that hold. */
export function dryRunBody(given: Described, policy: Policy | null, now: Date): Record<string, unknown> {
  return {
    orders:
      given.state === "" || given.state === "no_active_order"
        ? []
        : [{ order_id: "dry-run", state: given.state, changed_at: now.toISOString() }],
    last_contact: given.agent === "" || given.contactAt === null ? null : { account_id: given.agent, at: given.contactAt },
    first_paid_at: given.firstPaidAt,
    last_bought_at: given.boughtAt,
    via_bot: given.viaBot,
    policy,
  };
}

/** The step that would decide now: the first that ends in `taken`; else the last, which is the queue. Null: not known. */
export function decisive(tiers: readonly Tier[]): number | null {
  if (tiers.every((tier) => tier.now === null)) return null;
  const taken = tiers.findIndex((tier) => tier.now === "taken");
  return taken === -1 ? tiers.length - 1 : taken;
}

/** A setting's name, from its dotted place: each part that has a word says it. */
export function fieldName(field: string, word: (key: string) => string | null): string {
  const parts = field.replace(/^policy\./, "").split(".");
  return parts
    .map((part) => word(`settings.field.${part}`) ?? word(`words.order_state.${part}`) ?? word(`settings.right.${parts.join("_")}`) ?? part)
    .join(": ");
}
