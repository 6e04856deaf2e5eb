/** Which message the next words are about, per conversation; kept over a reload like the words themselves. */

import type { Message, Quote } from "@pointsman/shared";
import { reactive } from "vue";

const SHOWN = 200;

export interface Chosen extends Quote {
  /** for colleagues only: the customer is never given its words */
  internal: boolean;
}

type Store = Pick<Storage, "getItem" | "setItem">;

export class Quotes {
  private readonly chosen: Record<string, Chosen>;

  constructor(
    private readonly key: string,
    private readonly store: Store = localStorage,
  ) {
    this.chosen = reactive(restored(store.getItem(key)));
  }

  of(conversation: string): Chosen | null {
    return this.chosen[conversation] ?? null;
  }

  choose(message: Message): void {
    const quote = quoteOf(message);
    if (quote === null) return;
    this.chosen[message.conversation_id] = { ...quote, internal: message.internal };
    this.keep();
  }

  drop(conversation: string): void {
    delete this.chosen[conversation];
    this.keep();
  }

  /** What goes with the words, once: to the customer nothing internal does. */
  take(conversation: string, to: "reply" | "note"): { quote?: Quote } {
    const chosen = this.of(conversation);
    if (chosen === null || (to === "reply" && chosen.internal)) return {};
    this.drop(conversation);
    const { internal: _, ...quote } = chosen;
    return { quote };
  }

  private keep(): void {
    this.store.setItem(this.key, JSON.stringify(this.chosen));
  }
}

/** A message as it is quoted; null: what the system said, and what was recalled, is not. */
export function quoteOf(message: Message): Quote | null {
  const body = message.body;
  if (body === null || body.kind === "system") return null;
  const words = body.kind === "text" || body.kind === "note" ? body.text : body.kind === "order_card" ? body.title || body.order_id : (body.name ?? "");
  const line = words.split(/\s+/).join(" ").trim();
  return {
    message_id: message.message_id,
    sender: message.sender,
    kind: body.kind,
    excerpt: line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line,
  };
}

/** What one most likely wants to quote: the customer's last message, else the last of anybody. */
export function likeliest(messages: readonly Message[]): Message | null {
  const quotable = messages.filter((each) => quoteOf(each) !== null);
  return quotable.findLast((each) => each.sender.kind === "customer") ?? quotable.at(-1) ?? null;
}

function restored(text: string | null): Record<string, Chosen> {
  try {
    return text === null ? {} : (JSON.parse(text) as Record<string, Chosen>);
  } catch {
    return {};
  }
}
