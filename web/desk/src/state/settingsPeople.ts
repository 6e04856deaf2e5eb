/** The shop's accounts and groups, read once for all pages of the settings. */

import { computed, ref, shallowRef } from "vue";
import { api } from "../api";

export interface Account {
  id: string;
  email: string;
  name: string;
  roles: string[];
  capacity: number | null;
  pause_mode: "at_n" | "by_hand" | "never";
  pause_at: number | null;
  excluded: boolean;
  status: "online" | "paused" | "offline";
  disabled_at: string | null;
  created_at: string;
}

export interface Group {
  id: string;
  name: string;
  kind: "region" | "product_line" | "customer_type" | "other";
  rev: string;
}

export interface Page<T> {
  items: T[];
  cursor: string | null;
}

const accounts = shallowRef<Account[]>([]);
const groups = shallowRef<Group[]>([]);
const ready = ref(false);
let reading: Promise<void> | null = null;

async function everybody(): Promise<Account[]> {
  const found: Account[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Account> = await api.ask("GET", `/v1/accounts?disabled=true&limit=200${more}`);
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return found;
}

async function load(): Promise<void> {
  reading ??= Promise.all([everybody(), api.ask<{ items: Group[] }>("GET", "/v1/groups")])
    .then(([people, listed]) => {
      accounts.value = people;
      groups.value = listed.items;
      ready.value = true;
    })
    .finally(() => (reading = null));
  await reading;
}

const names = computed(
  () => new Map([...accounts.value, ...groups.value].map((each): [string, string] => [each.id, each.name])),
);
/** those who can be chosen for work: they can sign in, and are no bot */
const humans = computed(() => accounts.value.filter((each) => each.disabled_at === null && !each.roles.includes("bot")));
const bots = computed(() => accounts.value.filter((each) => each.disabled_at === null && each.roles.includes("bot")));

export function usePeople() {
  return {
    accounts,
    groups,
    humans,
    bots,
    ready,
    load,
    /** A group as it is now. */
    know: (group: Group): void => {
      groups.value = groups.value.map((each) => (each.id === group.id ? group : each));
    },
    /** The name of an account or a group; what is no id of one stays as it is. */
    nameOf: (id: string): string => names.value.get(id) ?? id,
  };
}
