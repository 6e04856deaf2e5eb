/** Conversations one by one, as reports tell of them. */

import { api } from "../api";

export interface ConversationLine {
  conversation_id: string;
  opened_at: string;
  closed_at: string | null;
  state: "queued" | "active" | "wrap_up" | "closed";
  outcome: "open" | "answered" | "unanswered" | "abandoned";
  /** null for who may not read the conversation */
  customer: string | null;
  external_id: string | null;
  order_id: string | null;
  order_state: string;
  agent: string;
  groups: string[];
  via_bot: boolean;
  queue_wait_ms: number | null;
  first_response_ms: number | null;
  response_mean_ms: number | null;
  longest_response_ms: number | null;
  duration_ms: number | null;
  replies: number;
  transfers: number;
  people: number;
  messages_customer: number;
  messages_agent: number;
  messages_bot: number;
  notes: number;
  rating: number | null;
  rating_comment: string | null;
  /** as the shop calls them */
  result_tags: string[];
  end_reason: string | null;
}

export interface LinesPage {
  timezone: string;
  items: ConversationLine[];
  cursor: string | null;
}

/** Which of them; empty: all. */
export interface Narrowed {
  agent: string;
  group: string;
  order_state: string;
  state: string;
  rating: string;
}

export const EVERYTHING: Narrowed = { agent: "", group: "", order_state: "", state: "", rating: "" };
export const STATES = ["queued", "active", "wrap_up", "closed"] as const;
export const ORDER_STATES = [
  "no_active_order", "placed_unpaid", "paid_unshipped", "shipped_unsigned", "trade_done", "after_sale",
] as const; // prettier-ignore

/** As query parameters, without what is not asked for. Pure. */
export function linesQuery(span: Record<"from" | "to", string>, narrowed: Narrowed, more: Record<string, string> = {}): string {
  const given = Object.entries({ ...narrowed, ...more }).filter(([, value]) => value !== "");
  return new URLSearchParams({ ...span, ...Object.fromEntries(given) }).toString();
}

export async function fetchLines(span: Record<"from" | "to", string>, narrowed: Narrowed, cursor: string | null): Promise<LinesPage> {
  const query = linesQuery(span, narrowed, { limit: "50", cursor: cursor ?? "" });
  return await api.ask<LinesPage>("GET", `/v1/statistics/conversations?${query}`);
}
