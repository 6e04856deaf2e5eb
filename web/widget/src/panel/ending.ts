/** An end that may still be taken back, or was in time, is no end for the visitor. Pure. */

import type { Message } from "@pointsman/shared";

export interface Unheard {
  /** ids of entries that are not shown */
  readonly hidden: ReadonlySet<string>;
  /** by this clock: when the last end is one; 0: it is, or there is none */
  readonly until: number;
}

interface Step {
  message: Message;
  event: string;
  data: Record<string, unknown>;
}

/** `cameAt`: when an entry came, by this clock. */
export function unheard(messages: readonly Message[], cameAt: (message: Message) => number, now: number): Unheard {
  const hidden = new Set<string>();
  let until = 0;
  const steps = messages.flatMap((message): Step[] => {
    const body = message.body;
    if (body?.kind !== "system" || !["ended", "reopened", "closed"].includes(body.event)) return [];
    return [{ message, event: body.event, data: body.data }];
  });
  steps.forEach(({ message, event, data }, n) => {
    if (event !== "ended") return;
    const undo = Number(data["undo_s"] ?? 0) * 1000;
    const next = steps.slice(n + 1).find((each) => each.message.conversation_id === message.conversation_id);
    const created = Date.parse(message.created_at);
    if (next?.event === "reopened") {
      if (Date.parse(next.message.created_at) - created > undo) return;
      hidden.add(message.message_id).add(next.message.message_id);
    } else if (next === undefined) {
      const final = cameAt(message) + undo;
      if (final <= now) return;
      hidden.add(message.message_id);
      until = final;
    }
  });
  return { hidden, until };
}
