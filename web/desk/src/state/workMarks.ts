/** What the shop's settings say of a conversation: how long the answer may still take, who is important, who serves. Pure. */

import type { Conversation, CustomerCard, Workbench } from "@pointsman/shared";

export interface ReplyDue {
  /** it would be the first answer */
  first: boolean;
  /** below zero: over */
  leftMs: number;
  level: "calm" | "soon" | "over";
}

/** until then nothing need be said about it */
const SOON = 1 / 3;

/** How long the answer may still take; null: nobody waits for one. It counts from when whoever serves it had it. */
export function replyDue(conversation: Conversation, workbench: Workbench | null, now: number): ReplyDue | null {
  if (workbench === null || conversation.state !== "active" || conversation.waiting_since === null) return null;
  if (conversation.owner?.kind !== "agent" || conversation.answers_later) return null;
  const first = !conversation.answered;
  const limitMs = (first ? workbench.first_reply_s : workbench.each_reply_s) * 1000;
  const had = conversation.assigned_at === null ? 0 : Date.parse(conversation.assigned_at);
  const leftMs = Math.max(Date.parse(conversation.waiting_since), had) + limitMs - now;
  return { first, leftMs, level: leftMs <= 0 ? "over" : leftMs <= limitMs * SOON ? "soon" : "calm" };
}

function important(tag: string, workbench: Workbench | null): boolean {
  return workbench?.vip_tags.some((each) => each.toLowerCase() === tag.toLowerCase()) ?? false;
}

export function isVip(card: CustomerCard, workbench: Workbench | null): boolean {
  return card.tags.some((tag) => important(tag, workbench));
}

/** The tags that are not shown by a mark of their own. */
export function plainTags(card: CustomerCard, workbench: Workbench | null): string[] {
  return card.tags.filter((tag) => !important(tag, workbench));
}

/** The names of the groups that serve this order state; none in basic mode. */
export function groupsOf(conversation: Conversation, workbench: Workbench | null): string[] {
  const served = workbench?.groups.filter((each) => each.order_states.includes(conversation.order_state)) ?? [];
  return served.map((each) => each.name);
}

/** Whether an own message may still be taken back. */
export function mayRecall(createdAt: string, workbench: Workbench | null, now: number): boolean {
  return workbench !== null && now - Date.parse(createdAt) < workbench.recall_within_s * 1000;
}
