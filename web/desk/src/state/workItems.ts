import type { Item } from "@pointsman/shared";

/** The items of a conversation as fetched and as heard since; of two pictures the later one. Oldest first. Pure. */
export function merged(fetched: readonly Item[], heard: Readonly<Record<string, Item>>, conversation: string): Item[] {
  const all = new Map<string, Item>();
  for (const item of [...fetched, ...Object.values(heard)]) {
    if (item.conversation_id !== conversation) continue;
    const known = all.get(item.item_id);
    if (known === undefined || item.rev > known.rev) all.set(item.item_id, item);
  }
  return [...all.values()]
    .filter((each) => !each.removed)
    .sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at) || a.item_id.localeCompare(b.item_id));
}

/** Not done, and its time is over. */
export function overdue(item: Item, now: number): boolean {
  return !item.done && item.due_at !== null && Date.parse(item.due_at) < now;
}
