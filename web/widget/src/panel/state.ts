/** What the panel shows, as signals; and everything a customer can do. Knows no element. */

import { computed, signal } from "@preact/signals";
import {
  type ChoicesResult,
  Client,
  type Conversation,
  type Message,
  type QuoteInput,
  Refused,
  type SendParams,
  type Status,
} from "@pointsman/shared";
import { unheard } from "./ending";
import { keyOf } from "../session";
import type { Context, Host } from "../api";
import { History } from "./history";
import { read, write } from "./kept";
import { type Draft, isTheirs, type Talk, type Uploading } from "./talk";
import { Tickets } from "./tickets";
import { upload } from "./upload";

type SentBody = SendParams["body"];

const NO_CHOICES = { rating_reasons: [], rating_correct_s: 0 };
const TYPING_MS = 2000;
const TYPED_MS = 5000;

export class Session implements Talk {
  readonly status = signal<Status>({ phase: "connecting", retryAt: null, ended: null });
  readonly conversation = signal<Conversation | null>(null);
  readonly messages = signal<readonly Message[]>([]);
  readonly drafts = signal<readonly Draft[]>([]);
  readonly typed = signal("");
  readonly typist = signal<string | null>(null);
  readonly context = signal<Context>({});
  /** what the next words are about, unless the customer takes it away */
  readonly about = signal<Context | null>(null);
  readonly uploading = signal<Uploading | null>(null);
  /** why the last act was refused: a reason of the server */
  readonly trouble = signal<string | null>(null);
  readonly visible = signal(false);
  /** the message that the next words are about */
  readonly quoting = signal<QuoteInput | null>(null);
  /** where the log shall lead to */
  readonly leads = signal<string | null>(null);
  readonly choices = signal<Pick<ChoicesResult, "rating_reasons" | "rating_correct_s">>(NO_CHOICES);
  /** the conversation has ended, and that may still be taken back unheard */
  readonly undoable = signal(false);
  /** entries of the log that are not shown */
  readonly hidden = signal<ReadonlySet<string>>(new Set());
  readonly unread = computed(() => {
    const conversation = this.conversation.value;
    const read = Math.max(conversation?.read_by_customer ?? 0, this.readTo.value);
    return this.current().filter((each) => each.seq > read && isTheirs(each)).length;
  });
  /** whether a new conversation would begin with the next message */
  readonly fresh = computed(() => {
    const conversation = this.conversation.value;
    return conversation === null || conversation.state === "closed";
  });

  /** whether it has ended for good; a message would continue it, or begin another one */
  readonly over = computed(() => {
    const state = this.conversation.value?.state;
    return (state === "wrap_up" || state === "closed") && !this.undoable.value;
  });
  /** nobody answers now: what is written is a message for later */
  readonly later = computed(() => {
    const conversation = this.conversation.value;
    const reason = conversation?.state === "queued" ? conversation.queue?.reason : undefined;
    return reason === "nobody_online" || reason === "out_of_hours" || conversation?.answers_later === true;
  });

  private readonly readTo = signal(0);
  private readonly seenAt = new Map<string, number>();
  private final: ReturnType<typeof setTimeout> | undefined;
  private readonly client: Client;
  private readonly tickets: Tickets;
  private readonly history: History;
  private gone = false;
  private typingSent = 0;
  private typistTimer: ReturnType<typeof setTimeout> | null = null;
  private posting = false;

  constructor(private readonly host: Host) {
    this.tickets = new Tickets(host, () => this.restore());
    this.looksAt(host.context);
    this.client = new Client(
      `${host.server.replace(/^http/, "ws")}/ws`,
      () => this.tickets.next(),
      { name: "pointsman-widget", version: "1", device: /Mobi/.test(navigator.userAgent) ? "mobile" : "web" },
    );
    this.history = new History(this.client);
    this.client.listen({
      view: () => this.look(),
      status: (status) => {
        this.status.value = status;
        if (status.phase !== "live") {
          this.typist.value = null;
          return;
        }
        if (this.tickets.news) void this.client.renew();
        void this.history.beginning();
        void this.post();
      },
      message: (message) => {
        this.seenAt.set(message.message_id, Date.now());
        if (isTheirs(message)) {
          this.typist.value = null;
          const body = message.body;
          host.emit("message", {
            from: message.sender.name,
            text: body !== null && body.kind === "text" ? body.text : "",
          });
        }
      },
      event: (name, params) => {
        if (name !== "typing.changed") return;
        const { who, typing } = params as { who: { name: string }; typing: boolean };
        if (this.typistTimer !== null) clearTimeout(this.typistTimer);
        this.typist.value = typing ? who.name : null;
        this.typistTimer = setTimeout(() => (this.typist.value = null), TYPED_MS);
      },
    });
    this.restore();
    document.addEventListener("visibilitychange", this.seen);
    this.client.start();
  }

  /** Who comes back to the tab reads what has come meanwhile. */
  private readonly seen = (): void => this.look();

  /** A new word of the shop's. False: about somebody else than the session is of. */
  isStill(identityToken: string): boolean {
    const still = this.tickets.isStill(identityToken);
    if (still && this.status.value.phase === "live") void this.client.renew();
    return still;
  }

  get refusal(): string | null {
    return this.tickets.refusal.value;
  }

  private look(): void {
    const all = this.history.conversations();
    const open = all.find((each) => each.state !== "closed");
    const newest = open ?? all.at(-1) ?? null;
    if (newest?.conversation_id !== this.conversation.value?.conversation_id) this.readTo.value = 0;
    this.conversation.value = newest;
    if (newest?.state !== "active") this.typist.value = null;
    this.messages.value = this.history.messages();
    const written = new Set(this.messages.value.map((each) => each.client_message_id));
    const left = this.drafts.value.filter((each) => !written.has(each.id));
    if (left.length < this.drafts.value.length) this.keep(left);
    if (newest !== null) this.judgeEnd(newest, this.messages.value);
    this.host.unread(this.visible.value ? 0 : this.unread.value);
    this.markRead();
  }

  /** Whether it has ended for the visitor; when that changes by itself, it is judged again. */
  private judgeEnd(conversation: Conversation, messages: readonly Message[]): void {
    const now = Date.now();
    const { hidden, until } = unheard(messages, (message) => this.cameAt(message), now);
    if (hidden.size > 0 || this.hidden.value.size > 0) this.hidden.value = hidden;
    this.undoable.value = conversation.state === "wrap_up" && (until > 0 || messages.length === 0);
    clearTimeout(this.final);
    if (until > 0) this.final = setTimeout(() => this.look(), until - now);
  }

  /** To a message that is quoted, however old it is. */
  async lead(message: string): Promise<void> {
    const there = (): boolean => this.messages.value.some((each) => each.message_id === message);
    for (let before = -1; !there() && this.more && this.messages.value.length > before; ) {
      before = this.messages.value.length;
      await this.earlier();
    }
    if (there()) this.leads.value = message;
  }

  /** When it came, by this clock; what was found in the log goes by the server's, which may be ahead of it. */
  private cameAt(message: Message): number {
    const known = this.seenAt.get(message.message_id);
    if (known !== undefined) return known;
    const at = Math.min(Date.parse(message.created_at), Date.now());
    this.seenAt.set(message.message_id, at);
    return at;
  }

  get more(): boolean {
    return this.history.more.value;
  }

  async earlier(): Promise<void> {
    await this.history.earlier();
  }

  shown(visible: boolean): void {
    this.visible.value = visible;
    this.look();
  }

  /** What was said in the conversation that is on now, or was last. */
  private current(): readonly Message[] {
    const id = this.conversation.value?.conversation_id;
    return this.messages.value.filter((each) => each.conversation_id === id);
  }

  private markRead(): void {
    const conversation = this.conversation.value;
    if (conversation === null || !this.visible.value || document.hidden) return;
    const last = this.current().at(-1)?.seq ?? 0;
    if (last <= Math.max(conversation.read_by_customer, this.readTo.value)) return;
    this.readTo.value = last;
    void this.client
      .ask("read.mark", { conversation_id: conversation.conversation_id, seq: last })
      .catch(() => undefined); // a mark only advances: the next one says the same and more
  }

  // --- what a customer does --------------------------------------------------------------------------------------

  say(text: string): void {
    const said = text.trim();
    if (said === "") return;
    this.typed.value = "";
    this.keepTyped("");
    const { order, product } = this.about.value ?? {};
    this.about.value = null;
    if (order) this.queue({ kind: "order_card", ...order });
    const about = product ? `${[product.title, product.price].filter(Boolean).join("  ")}\n` : "";
    const quote = this.quoting.value;
    this.quoting.value = null;
    this.queue({ kind: "text", text: about + said, ...(quote && !this.fresh.value ? { quote } : {}) });
  }

  looksAt(context: Context): void {
    this.context.value = context;
    this.about.value = context.order || context.product ? context : null;
  }

  queue(body: SentBody): void {
    const draft: Draft = { id: newId(), body, at: new Date().toISOString(), failed: null };
    this.keep([...this.drafts.value, draft]);
    this.client.retryNow(); // who writes does not want to wait for the next try
    void this.post();
  }

  again(id: string): void {
    this.keep(this.drafts.value.map((each) => (each.id === id ? { ...each, failed: null } : each)));
    void this.post();
  }

  discard(id: string): void {
    this.keep(this.drafts.value.filter((each) => each.id !== id));
  }

  /** One after another, in order; a refused one lets the next ones pass. */
  private async post(): Promise<void> {
    if (this.posting) return;
    this.posting = true;
    try {
      for (;;) {
        const draft = this.drafts.value.find((each) => each.failed === null);
        if (draft === undefined || this.status.value.phase === "stopped") return;
        try {
          await this.deliver(draft);
          this.keep(this.drafts.value.filter((each) => each.id !== draft.id));
        } catch (error) {
          if (error instanceof Refused && error.retryable) return; // when the connection is back
          const why = reasonOf(error);
          this.keep(this.drafts.value.map((each) => (each.id === draft.id ? { ...each, failed: why } : each)));
        }
      }
    } finally {
      this.posting = false;
    }
  }

  private async deliver(draft: Draft): Promise<void> {
    const open = this.conversation.value;
    if (open !== null && open.state !== "closed") {
      try {
        await this.client.send("message.send", {
          conversation_id: open.conversation_id,
          client_message_id: draft.id,
          body: draft.body,
        });
        return;
      } catch (error) {
        if (!(error instanceof Refused) || error.reason !== "conversation_closed") throw error;
      }
    }
    await this.open({ client_message_id: draft.id, body: draft.body });
  }

  private async open(message: { client_message_id: string; body: SentBody } | null): Promise<string> {
    const order = this.context.value.order?.order_id ?? this.context.value.order_id;
    const opened = await this.client.ask("conversation.open", { ...(order ? { order_id: order } : {}), message });
    this.client.entered(opened.conversation);
    await this.client.earlier(opened.conversation.conversation_id);
    return opened.conversation.conversation_id;
  }

  typing(text: string): void {
    this.typed.value = text;
    this.keepTyped(text);
    const id = this.conversation.value?.conversation_id;
    const now = Date.now();
    if (id === undefined || this.fresh.value) return;
    if (text === "") this.client.typing(id, false);
    else if (now - this.typingSent > TYPING_MS) this.client.typing(id, true);
    else return;
    this.typingSent = text === "" ? 0 : now;
  }

  async attach(file: File): Promise<void> {
    this.trouble.value = null;
    try {
      const now = this.conversation.value;
      const id = now === null || this.fresh.value ? await this.open(null) : now.conversation_id;
      const place = await this.client.ask("file.upload", {
        conversation_id: id,
        name: file.name,
        size_bytes: file.size,
        internal: false,
      });
      this.uploading.value = { name: file.name, percent: 0 };
      await upload(new URL(place.url, this.host.server).href, file, (percent) => {
        this.uploading.value = { name: file.name, percent };
      });
      const picture = file.type.startsWith("image/");
      this.queue(
        picture
          ? { kind: "image", file_id: place.file_id, name: file.name }
          : { kind: "file", file_id: place.file_id, name: file.name },
      );
    } catch (error) {
      this.trouble.value = reasonOf(error);
    } finally {
      this.uploading.value = null;
    }
  }

  async link(fileId: string): Promise<{ url: string; thumbnail: string | null }> {
    const link = await this.client.ask("file.link", { file_id: fileId });
    const whole = (url: string): string => new URL(url, this.host.server).href;
    return { url: whole(link.url), thumbnail: link.thumbnail_url ? whole(link.thumbnail_url) : null };
  }

  async leaveQueue(): Promise<void> {
    await this.act("conversation.leave_queue", {});
  }

  async human(): Promise<void> {
    await this.act("conversation.hand_off", { reason: "" });
  }

  /** Whether it was taken. */
  async rate(rating: number, comment: string, reasons: string[]): Promise<boolean> {
    await this.act("conversation.rate", { rating, comment, reasons });
    return this.trouble.value === null;
  }

  /** What may be chosen with a rating now. */
  async offers(): Promise<void> {
    this.choices.value = await this.client.ask("conversation.choices", {}).catch(() => this.choices.value);
  }

  private async act(
    method: "conversation.leave_queue" | "conversation.hand_off" | "conversation.rate",
    more: Record<string, unknown>,
  ): Promise<void> {
    const id = this.conversation.value?.conversation_id;
    if (id === undefined) return;
    this.trouble.value = null;
    try {
      const done = await this.client.ask(method, { conversation_id: id, ...more } as never);
      this.client.entered((done as { conversation: Conversation }).conversation);
    } catch (error) {
      this.trouble.value = reasonOf(error);
    }
  }

  retryNow(): void {
    this.client.retryNow();
  }

  async stop(): Promise<void> {
    this.gone = true;
    this.tickets.stop();
    clearTimeout(this.final);
    document.removeEventListener("visibilitychange", this.seen);
    await this.client.stop();
  }

  // --- over a reload ---------------------------------------------------------------------------------------------

  private restore(): void {
    const { shop } = this.host.options;
    this.typed.value = read(keyOf(shop, "typed")) ?? "";
    try {
      this.drafts.value = JSON.parse(read(keyOf(shop, "drafts")) ?? "[]") as Draft[];
    } catch {
      this.drafts.value = [];
    }
  }

  private keep(drafts: readonly Draft[]): void {
    this.drafts.value = drafts;
    if (!this.gone) write(keyOf(this.host.options.shop, "drafts"), JSON.stringify(drafts));
  }

  private keepTyped(text: string): void {
    write(keyOf(this.host.options.shop, "typed"), text);
  }
}

/** `randomUUID` is for secure pages only; a shop without TLS has none. */
function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A refusal's reason; anything else is a fault of this program, which is logged. */
function reasonOf(error: unknown): string {
  if (error instanceof Refused) return error.reason;
  console.error(error);
  return "failed";
}
