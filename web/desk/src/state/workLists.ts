/** Which conversations stand in which list, in which order, and how long their customers have waited. Pure. */

import type { Conversation, View } from "@pointsman/shared";

export type Scope = "mine" | "shared" | "queue" | "recent" | "all";
export const SCOPES: Scope[] = ["mine", "shared", "queue", "recent", "all"];
export type WaitLevel = "calm" | "warn" | "late";

const MINUTE = 60_000;

/** Below two minutes calm, up to ten a warning, then late. */
export function waitLevel(since: string, now: number): WaitLevel {
  const minutes = (now - Date.parse(since)) / MINUTE;
  return minutes >= 10 ? "late" : minutes >= 2 ? "warn" : "calm";
}

/** Since when somebody waits for us: in the queue, or for an answer. */
export function waitsSince(conversation: Conversation): string | null {
  if (conversation.state === "queued") return conversation.queue?.waiting_since ?? conversation.arrived_at;
  return conversation.state === "active" ? conversation.waiting_since : null;
}

/** `0:42`, `12:05`, `3:01:09`. */
export function clockOf(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const pad = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(total % 60)}` : `${minutes}:${pad(total % 60)}`;
}

function lastAt(conversation: Conversation): number {
  return Date.parse(conversation.last_message?.created_at ?? conversation.arrived_at);
}

/** Unanswered first, the longest wait first; then the latest said. */
export function inOrder(conversations: readonly Conversation[]): Conversation[] {
  const keyed = conversations.map((each) => {
    const since = waitsSince(each);
    return { each, since: since === null ? Number.POSITIVE_INFINITY : Date.parse(since), last: lastAt(each) };
  });
  keyed.sort((a, b) => {
    if (a.since !== b.since) return a.since < b.since ? -1 : 1;
    return b.last - a.last || a.each.conversation_id.localeCompare(b.each.conversation_id);
  });
  return keyed.map(({ each }) => each);
}

/** Of two pictures of a conversation the later one. */
export function later(one: Conversation | undefined, other: Conversation | undefined): Conversation | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.rev > one.rev ? other : one;
}

/** What the live view holds for a list; `fetched` are those that a page of the server named, in its order. */
export function listed(
  scope: Scope,
  view: View,
  me: string,
  fetched: readonly string[],
  known: Readonly<Record<string, Conversation>>,
): Conversation[] {
  const live = Object.values(view.conversations);
  const taken = fetched.flatMap((id) => later(known[id], view.conversations[id]) ?? []);
  switch (scope) {
    case "mine":
      return inOrder(live.filter((each) => each.owner?.id === me && each.state === "active"));
    case "shared":
      return inOrder(live.filter((each) => isShared(each, view, me)));
    case "queue":
      return taken
        .filter((each) => each.state === "queued")
        .sort((a, b) => Date.parse(waitsSince(a) ?? "") - Date.parse(waitsSince(b) ?? ""));
    case "recent": {
      const ending = live.filter((each) => each.owner?.id === me && each.state === "wrap_up");
      const ids = new Set(ending.map((each) => each.conversation_id));
      return [...ending, ...taken.filter((each) => !ids.has(each.conversation_id))];
    }
    case "all":
      return taken;
  }
}

function isShared(conversation: Conversation, view: View, me: string): boolean {
  if (conversation.state === "closed" || conversation.owner?.id === me) return false;
  return takesPart(conversation, me) || view.watching.includes(conversation.conversation_id);
}

export function takesPart(conversation: Conversation, me: string): boolean {
  return conversation.participants.some((each) => each.person.id === me);
}

/** How many of the customer's messages no colleague has read. */
export function unread(conversation: Conversation): number {
  return Math.max(0, conversation.customer_messages - conversation.customer_messages_read);
}

/** What nobody has read in the conversations that somebody serves or takes part in; watching reads for nobody. */
export function unreadInAll(view: View, me: string): number {
  const serving = Object.values(view.conversations).filter(
    (each) => each.state === "active" && (each.owner?.id === me || takesPart(each, me)),
  );
  return serving.reduce((sum, each) => sum + unread(each), 0);
}

/** The own conversations whose customers have waited longer than `afterMs`, longest first. */
export function slowReplies(mine: readonly Conversation[], now: number, afterMs: number): Conversation[] {
  return mine.filter((each) => each.waiting_since !== null && now - Date.parse(each.waiting_since) >= afterMs);
}
