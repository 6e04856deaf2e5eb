/** What the panel shows, as signals, and what a customer can do: all that its parts know of a conversation. */

import type { ChoicesResult, Conversation, Message, QuoteInput, SendParams, Status } from "@pointsman/shared";
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Context } from "../api";

/** A message on its way. Its id stays the same however often it is sent, and over a reload. */
export interface Draft {
  id: string;
  body: SendParams["body"];
  at: string;
  /** why it was refused for good; null while it is on its way */
  failed: string | null;
}

export interface Uploading {
  name: string;
  percent: number;
}

export interface Talk {
  readonly status: ReadonlySignal<Status>;
  readonly conversation: ReadonlySignal<Conversation | null>;
  readonly messages: ReadonlySignal<readonly Message[]>;
  readonly drafts: ReadonlySignal<readonly Draft[]>;
  readonly typed: ReadonlySignal<string>;
  readonly typist: ReadonlySignal<string | null>;
  /** what the next words are about, unless the customer takes it away */
  readonly about: Signal<Context | null>;
  readonly uploading: ReadonlySignal<Uploading | null>;
  /** why the last act was refused: a reason of the server */
  readonly trouble: ReadonlySignal<string | null>;
  readonly visible: ReadonlySignal<boolean>;
  /** the message that the next words are about */
  readonly quoting: Signal<QuoteInput | null>;
  /** where the log shall lead to */
  readonly leads: Signal<string | null>;
  readonly choices: ReadonlySignal<Pick<ChoicesResult, "rating_reasons" | "rating_correct_s">>;
  /** entries of the log that are not shown */
  readonly hidden: ReadonlySignal<ReadonlySet<string>>;
  /** whether a new conversation would begin with the next message */
  readonly fresh: ReadonlySignal<boolean>;
  /** whether it has ended for good; a message would continue it, or begin another one */
  readonly over: ReadonlySignal<boolean>;
  /** nobody answers now: what is written is a message for later */
  readonly later: ReadonlySignal<boolean>;
  /** why the server lets nobody in from here */
  readonly refusal: string | null;
  /** whether more was said before than is shown */
  readonly more: boolean;

  say(text: string): void;
  typing(text: string): void;
  attach(file: File): Promise<void>;
  again(draft: string): void;
  discard(draft: string): void;
  /** To a message that is quoted, however old it is. */
  lead(message: string): Promise<void>;
  earlier(): Promise<void>;
  link(fileId: string): Promise<{ url: string; thumbnail: string | null }>;
  leaveQueue(): Promise<void>;
  human(): Promise<void>;
  /** Whether it was taken. */
  rate(rating: number, comment: string, reasons: string[]): Promise<boolean>;
  /** What may be chosen with a rating now. */
  offers(): Promise<void>;
  retryNow(): void;
}

export function isTheirs(message: Message): boolean {
  return message.sender.kind === "agent" || message.sender.kind === "bot";
}
