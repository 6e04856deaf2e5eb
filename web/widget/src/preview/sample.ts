/** A conversation that nobody had, for the preview: it can be looked at and tried, and leads to no server. */

import type { Conversation, Message, Party, QuoteInput, Situation, Status } from "@pointsman/shared";
import { computed, signal } from "@preact/signals";
import type { Context } from "../api";
import type { Draft, Talk, Uploading } from "../panel/talk";
import { type Lines, LINES } from "./lines";

type Body = NonNullable<Message["body"]>;

const ID = "sample";
const MINUTE_MS = 60_000;
const LIVE: Status = { phase: "live", retryAt: null, ended: null };
const CUSTOMER: Party = { kind: "customer", id: ID, name: "" };
const SYSTEM: Party = { kind: "system", id: null, name: "" };

/** An instant so many minutes ago. */
const ago = (minutes: number): string => new Date(Date.now() - minutes * MINUTE_MS).toISOString();

export class Sample implements Talk {
  readonly status = signal(LIVE);
  readonly conversation = signal<Conversation | null>(null);
  readonly messages = signal<readonly Message[]>([]);
  readonly drafts = signal<readonly Draft[]>([]);
  readonly typed = signal("");
  readonly typist = signal<string | null>(null);
  readonly about = signal<Context | null>(null);
  readonly uploading = signal<Uploading | null>(null);
  readonly trouble = signal<string | null>(null);
  readonly visible = signal(false);
  readonly quoting = signal<QuoteInput | null>(null);
  readonly leads = signal<string | null>(null);
  readonly choices = signal<Talk["choices"]["value"]>({ rating_reasons: [], rating_correct_s: 600 });
  readonly hidden = signal<ReadonlySet<string>>(new Set());
  readonly fresh = computed(() => this.conversation.value === null || this.conversation.value.state === "closed");
  readonly over = computed(() => this.conversation.value?.state === "closed");
  readonly later = computed(() => this.conversation.value?.queue?.reason === "nobody_online");
  readonly refusal = null;
  readonly more = false;

  private readonly lines: Lines;
  private readonly agent: Party;

  constructor(situation: Situation, language: string) {
    this.lines = LINES[language] ?? (LINES["en"] as Lines);
    this.agent = { kind: "agent", id: "agent", name: this.lines.agent };
    if (situation === "waiting" || situation === "later") this.waits(situation);
    else if (situation !== "welcome") this.served(situation);
  }

  private waits(situation: "waiting" | "later"): void {
    this.enter(CUSTOMER, { kind: "text", text: this.lines.asks, quote: null }, 2);
    this.enter(SYSTEM, { kind: "system", event: "queued", data: {} }, 2);
    const [reason, estimate_s] = situation === "waiting" ? (["all_full", 240] as const) : (["nobody_online", null] as const);
    const queue = { pool: "default", place: 3, length: 8, reason, waiting_since: ago(2.5), estimate_s };
    this.now({ state: "queued", queue });
  }

  private served(situation: Situation): void {
    const { order, asks, greets, answers, thanks } = this.lines;
    const text = (words: string): Body => ({ kind: "text", text: words, quote: null });
    this.enter(CUSTOMER, { kind: "order_card", state: "shipped_unsigned", ...order }, 6);
    this.enter(CUSTOMER, text(asks), 6);
    this.enter(SYSTEM, { kind: "system", event: "assigned", data: { owner: this.agent } }, 5);
    this.enter(this.agent, text(greets), 5);
    const told = this.enter(this.agent, text(answers), 4);
    const quote = { message_id: told, sender: this.agent, kind: "text" as const, excerpt: answers };
    this.enter(CUSTOMER, { kind: "text", text: thanks, quote }, 3);
    this.now({ state: "active", owner: this.agent, assigned_at: ago(5), read_by_staff: this.messages.value.length });
    if (situation === "ended") {
      this.enter(SYSTEM, { kind: "system", event: "ended", data: {} }, 1);
      this.now({ state: "closed", closed_at: ago(1) });
    } else if (situation === "offline") {
      this.status.value = { phase: "waiting", retryAt: null, ended: null };
      this.say(this.lines.more);
    } else {
      this.typist.value = this.agent.name;
    }
  }

  private enter(sender: Party, body: Body, minutes: number): string {
    const seq = this.messages.value.length + 1;
    const created_at = ago(minutes);
    const message_id = `${ID}${seq}`;
    const told = { conversation_id: ID, client_message_id: null, recalled_at: null, rev: 1, internal: false };
    this.messages.value = [...this.messages.value, { ...told, seq, message_id, sender, body, created_at }];
    return message_id;
  }

  private now(changed: Partial<Conversation>): void {
    this.conversation.value = { ...(this.conversation.value ?? BLANK), ...changed };
  }

  say(words: string): void {
    const text = words.trim();
    if (text === "") return;
    this.typed.value = "";
    const quote = this.quoting.value;
    this.quoting.value = null;
    if (this.status.value.phase !== "live") {
      const draft = { id: `${Date.now()}`, body: { kind: "text" as const, text }, at: ago(0), failed: null };
      this.drafts.value = [...this.drafts.value, draft];
      return;
    }
    const asked = quote && { sender: null, kind: null, excerpt: "", ...quote };
    const about = asked && { ...asked, sender: asked.sender && { id: null, name: "", ...asked.sender } };
    this.enter(CUSTOMER, { kind: "text", text, quote: about }, 0);
  }

  typing(text: string): void {
    this.typed.value = text;
  }

  attach(file: File): Promise<void> {
    this.enter(CUSTOMER, { kind: "file", file_id: file.name, name: file.name, size_bytes: file.size }, 0);
    return Promise.resolve();
  }

  again(): void {
    this.retryNow();
  }

  discard(id: string): void {
    this.drafts.value = this.drafts.value.filter((each) => each.id !== id);
  }

  lead(message: string): Promise<void> {
    this.leads.value = message;
    return Promise.resolve();
  }

  earlier(): Promise<void> {
    return Promise.resolve();
  }

  link(): Promise<{ url: string; thumbnail: string | null }> {
    return Promise.reject(new Error("Nothing was uploaded."));
  }

  leaveQueue(): Promise<void> {
    this.enter(SYSTEM, { kind: "system", event: "closed", data: {} }, 0);
    this.now({ state: "closed", queue: null, closed_at: ago(0) });
    return Promise.resolve();
  }

  human(): Promise<void> {
    return Promise.resolve();
  }

  rate(rating: number, comment: string, reasons: string[]): Promise<boolean> {
    const chosen = this.choices.value.rating_reasons.filter((each) => reasons.includes(each.reason_id));
    this.now({ rating, rating_comment: comment, rating_reasons: chosen, rated_at: ago(0) });
    return Promise.resolve(true);
  }

  offers(): Promise<void> {
    return Promise.resolve();
  }

  /** The line is back: what waited is said. */
  retryNow(): void {
    this.status.value = LIVE;
    const waiting = this.drafts.value;
    this.drafts.value = [];
    for (const { body } of waiting) if (body.kind === "text") this.say(body.text);
  }
}

const BLANK: Conversation = {
  conversation_id: ID,
  rev: 1,
  state: "active",
  customer: {
    customer_id: ID,
    name: "",
    anonymous: true,
    new_customer_priority: false,
    tags: [],
    owner: null,
    returning: null,
  },
  owner: null,
  assign_epoch: 1,
  order_state: "shipped_unsigned",
  order_id: null,
  queue: null,
  opened_at: ago(6),
  arrived_at: ago(6),
  assigned_at: null,
  wrap_up_until: null,
  closed_at: null,
  answers_later: false,
  head_seq: 0,
  read_by_customer: 0,
  read_by_staff: 0,
  waiting_since: null,
  last_message: null,
  customer_messages: 0,
  customer_messages_read: 0,
  answered: false,
  rating: null,
  rating_reasons: [],
  rating_comment: "",
  rated_at: null,
  participants: [],
  watchers: [],
  work: null,
  result_tags: [],
  end_reason: "",
};
