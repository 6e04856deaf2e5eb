/** The customer list as the server pages it, and giving customers to somebody (GP-07). */

import type { Party } from "@pointsman/shared";
import { api } from "../api";

export interface Listed {
  id: string;
  external_id: string | null;
  name: string;
  anonymous: boolean;
  tags: string[];
  owner: Party | null;
  first_paid_at: string | null;
  last_bought_at: string | null;
  created_at: string;
}

export interface Order {
  order_id: string;
  state: string;
  changed_at: string;
  title: string;
  amount: string;
}

export interface Note {
  id: string;
  by: Party;
  text: string;
  created_at: string;
}

export interface CustomerFile extends Listed {
  orders: Order[];
  conversations: number;
  open_conversation_id: string | null;
  notes: Note[];
  notes_cursor: string | null;
}

export interface Page<T> {
  items: T[];
  cursor: string | null;
}

export interface Filter {
  q: string;
  /** an account, `me`, `nobody`, or empty */
  owner: string;
  tag: string;
  order_state: string;
}

export interface Job {
  id: string;
  state: "running" | "done";
  to: string | null;
  total: number;
  done: number;
  refused: number;
}

export interface RefusedOne {
  customer_id: string;
  why: string;
}

export const NO_FILTER: Filter = { q: "", owner: "", tag: "", order_state: "" };
const FIELDS = Object.keys(NO_FILTER) as (keyof Filter)[];
export const PAGE = 50;

/** A filter out of an address; what is not a filter there is left alone. */
export function filterOf(query: Record<string, unknown>): Filter {
  const filter = { ...NO_FILTER };
  for (const field of FIELDS) {
    const value = query[field];
    if (typeof value === "string") filter[field] = value;
  }
  return filter;
}

/** Only what is set: for an address, a query or a job. */
export function set(filter: Filter): Partial<Filter> {
  const given = FIELDS.map((field) => [field, filter[field].trim()] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

export function isSet(filter: Filter): boolean {
  return Object.keys(set(filter)).length > 0;
}

export function listPath(filter: Filter, cursor: string | null): string {
  const query = new URLSearchParams({ ...set(filter), limit: String(PAGE), ...(cursor === null ? {} : { cursor }) });
  return `/v1/customers?${query}`;
}

export const list = (filter: Filter, cursor: string | null): Promise<Page<Listed>> =>
  api.ask("GET", listPath(filter, cursor));

const path = (id: string): string => `/v1/customers/id/${encodeURIComponent(id)}`;

export const get = (id: string): Promise<CustomerFile> => api.ask("GET", path(id));
export const setTags = (id: string, tags: string[]): Promise<CustomerFile> => api.ask("PATCH", path(id), { tags });
export const addNote = (id: string, text: string): Promise<Note> => api.ask("POST", `${path(id)}/notes`, { text });
export const moreNotes = (id: string, cursor: string): Promise<Page<Note>> =>
  api.ask("GET", `${path(id)}/notes?${new URLSearchParams({ cursor })}`);

export interface Giving {
  customers: string[] | null;
  filter: Filter | null;
  to: string | null;
  reason: string;
}

export function give({ customers, filter, to, reason }: Giving): Promise<Job> {
  const whom = customers === null ? { filter: set(filter ?? NO_FILTER) } : { customer_ids: customers };
  return api.ask("POST", "/v1/customers/reassignments", { ...whom, to, reason });
}

export const job = (id: string): Promise<Job> => api.ask("GET", `/v1/customers/reassignments/${encodeURIComponent(id)}`);

export const refused = (id: string, cursor: string | null): Promise<Page<RefusedOne>> => {
  const query = cursor === null ? "" : `?${new URLSearchParams({ cursor })}`;
  return api.ask("GET", `/v1/customers/reassignments/${encodeURIComponent(id)}/refused${query}`);
};
