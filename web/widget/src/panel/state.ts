/** What the panel shows, as signals; and everything a customer can do. Knows no element. */

import { computed, signal } from "@preact/signals";
import {
  Client,
  type Conversation,
  type Message,
  Refused,
  type SendParams,
  type Status,
} from "@pointsman/shared";
import { forget, keyOf } from "../session";
import type { Context, Host } from "../api";

type SentBody = SendParams["body"];

/** A message on its way. Its id stays the same however often it is sent, and over a reload. */
export interface Draft {
  id: string;
  body: SentBody;
  at: string;
  /** why it was refused for good; null while it is on its way */
  failed: string | null;
}

export interface Uploading {
  name: string;
  percent: number;
}

const TYPING_MS = 2000;
const TYPED_MS = 5000;

export class Session {
  readonly status = signal<Status>({ phase: "connecting", retryAt: null, ended: null });
  readonly conversation = signal<Conversation | null>(null);
  readonly messages = signal<readonly Message[]>([]);
  readonly more = signal(false);
  readonly drafts = signal<readonly Draft[]>([]);
  readonly typed = signal("");
  readonly typist = signal<string | null>(null);
  readonly context = signal<Context>({});
  /** what the next words are about, unless the customer takes it away */
  readonly about = signal<Context | null>(null);
  readonly uploading = signal<Uploading | null>(null);
  /** why the server lets nobody in from here */
  readonly refusal = signal<string | null>(null);
  readonly trouble = signal<string | null>(null);
  readonly visible = signal(false);
  readonly unread = computed(() => {
    const conversation = this.conversation.value;
    const read = Math.max(conversation?.read_by_customer ?? 0, this.readTo.value);
    return this.messages.value.filter((each) => each.seq > read && isTheirs(each)).length;
  });
  /** whether a new conversation would begin with the next message */
  readonly fresh = computed(() => {
    const conversation = this.conversation.value;
    return conversation === null || conversation.state === "closed";
  });

  private readonly readTo = signal(0);
  private readonly client: Client;
  private identityToken: string | null;
  private gone = false;
  private typingSent = 0;
  private typistTimer: ReturnType<typeof setTimeout> | null = null;
  private posting = false;

  constructor(private readonly host: Host) {
    this.identityToken = host.identityToken;
    this.looksAt(host.context);
    this.client = new Client(
      `${host.server.replace(/^http/, "ws")}/ws`,
      () => this.newTicket(),
      { name: "pointsman-widget", version: "1", device: /Mobi/.test(navigator.userAgent) ? "mobile" : "web" },
    );
    this.client.listen({
      view: () => this.look(),
      status: (status) => {
        this.status.value = status;
        if (status.phase !== "live") return;
        if (this.identityToken !== null) void this.client.renew();
        void this.firstPage();
        void this.post();
      },
      message: (message) => {
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

  // --- the session -----------------------------------------------------------------------------------------------

  /**
   * A ticket for whoever is here: by the session kept in this browser, and by the shop's word if it has given one. That
   * word works once; afterwards the session stands for it. Another customer's session is forgotten first.
   */
  private async newTicket(): Promise<string> {
    const { shop } = this.host.options;
    const { identityToken } = this;
    const subject = identityToken === null ? null : subjectOf(identityToken);
    const whose = read(keyOf(shop, "whose"));
    if (subject !== null && whose !== null && whose !== subject) {
      forget(shop);
      this.restore();
    }
    const kept = read(keyOf(shop, "session"));
    let answer = await this.begin(kept, identityToken);
    if (answer.status === 401 && identityToken !== null && whose === subject && kept !== null) {
      answer = await this.begin(kept, null); // used before or too old, and the session is of the same customer
    }
    if (answer.status === 401 && kept !== null) {
      forget(shop); // over; a new one begins
      answer = await this.begin(null, identityToken);
    }
    if (answer.ok) {
      const given = (await answer.json()) as { session_token: string; ticket: string; identity: string };
      if (this.gone) throw new Refused(1001, "left", "Left.", false);
      write(keyOf(shop, "session"), given.session_token);
      if (subject !== null && given.identity === "accepted") write(keyOf(shop, "whose"), subject);
      if (identityToken === this.identityToken) this.identityToken = null;
      return given.ticket;
    }
    const problem = (await answer.json().catch(() => ({}))) as {
      detail?: string;
      reason?: string;
      retry_after_ms?: number;
    };
    const again = answer.status === 429 || answer.status >= 500;
    const reason = problem.reason ?? "refused";
    if (!again) this.turnedAway(reason, problem.detail ?? `HTTP ${answer.status}`);
    throw new Refused(again ? 1050 : 1001, reason, problem.detail ?? "", again, problem.retry_after_ms);
  }

  /** Coming again would end the same way. The page's maker is told why; the visitor, what it means for them. */
  private turnedAway(reason: string, detail: string): void {
    this.refusal.value = reason;
    const why = reason === "origin_not_allowed" ? `${origin} is not on the shop's list of widget origins` : detail;
    console.error(`pointsman: ${why} (${reason}).`);
    this.host.emit("error", { reason });
  }

  /** A new word of the shop's. False: about somebody else than the session is of. */
  isStill(identityToken: string): boolean {
    if (subjectOf(identityToken) !== read(keyOf(this.host.options.shop, "whose"))) return false;
    this.identityToken = identityToken;
    if (this.status.value.phase === "live") void this.client.renew();
    return true;
  }

  private async begin(session: string | null, identity: string | null): Promise<Response> {
    try {
      return await fetch(`${this.host.server}/v1/widget/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          shop: this.host.options.shop,
          ...(session === null ? {} : { session_token: session }),
          ...(identity === null ? {} : { identity_token: identity }),
        }),
      });
    } catch {
      throw new Refused(1050, "unreachable", "No connection.", true);
    }
  }

  private look(): void {
    const all = Object.values(this.client.view.conversations);
    const open = all.find((each) => each.state !== "closed");
    const newest = open ?? all.sort((a, b) => a.opened_at.localeCompare(b.opened_at)).at(-1) ?? null;
    this.conversation.value = newest;
    if (newest !== null) {
      const log = this.client.log(newest.conversation_id);
      this.messages.value = log.messages;
      const written = new Set(log.messages.map((each) => each.client_message_id));
      const left = this.drafts.value.filter((each) => !written.has(each.id));
      if (left.length < this.drafts.value.length) this.keep(left);
    }
    this.host.unread(this.visible.value ? 0 : this.unread.value);
    this.markRead();
  }

  private async firstPage(): Promise<void> {
    const id = this.conversation.value?.conversation_id;
    if (id !== undefined && this.messages.value.length === 0) {
      this.more.value = await this.client.earlier(id).catch(() => false);
    }
  }

  async earlier(): Promise<void> {
    const id = this.conversation.value?.conversation_id;
    if (id !== undefined) this.more.value = await this.client.earlier(id).catch(() => true);
  }

  shown(visible: boolean): void {
    this.visible.value = visible;
    this.look();
  }

  private markRead(): void {
    const conversation = this.conversation.value;
    if (conversation === null || !this.visible.value || document.hidden) return;
    const last = this.messages.value.at(-1)?.seq ?? 0;
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
    this.queue({ kind: "text", text: about + said });
  }

  looksAt(context: Context): void {
    this.context.value = context;
    this.about.value = context.order || context.product ? context : null;
  }

  queue(body: SentBody): void {
    const draft: Draft = { id: crypto.randomUUID(), body, at: new Date().toISOString(), failed: null };
    this.keep([...this.drafts.value, draft]);
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
          const why = error instanceof Refused ? error.message : String(error);
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
    const order = this.context.value.order?.order_id ?? this.context.value.order_id;
    const opened = await this.client.ask("conversation.open", {
      ...(order ? { order_id: order } : {}),
      message: { client_message_id: draft.id, body: draft.body },
    });
    this.client.entered(opened.conversation);
    await this.firstPage();
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
    const id = this.conversation.value?.conversation_id;
    if (id === undefined || this.fresh.value) return;
    this.trouble.value = null;
    try {
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
      this.trouble.value = error instanceof Error ? error.message : String(error);
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

  async rate(rating: number, comment: string): Promise<void> {
    await this.act("conversation.rate", { rating, comment });
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
      this.trouble.value = error instanceof Error ? error.message : String(error);
    }
  }

  retryNow(): void {
    this.client.retryNow();
  }

  async stop(): Promise<void> {
    this.gone = true;
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

/** Of whom an identity token speaks; the server checks the rest of it. */
function subjectOf(token: string): string | null {
  try {
    const claims = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    return String((JSON.parse(atob(claims)) as { sub: unknown }).sub);
  } catch {
    return null;
  }
}

export function isTheirs(message: Message): boolean {
  return message.sender.kind === "agent" || message.sender.kind === "bot";
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return; // without storage the conversation lasts as long as the page
  }
}

function upload(url: string, file: File, progress: (percent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of what was sent so far
    request.open("PUT", url);
    request.upload.onprogress = (event) => progress(Math.round((event.loaded * 100) / Math.max(1, event.total)));
    request.onload = () => {
      if (request.status < 300) {
        resolve();
        return;
      }
      let why = `HTTP ${request.status}`;
      try {
        why = (JSON.parse(request.responseText) as { detail?: string }).detail ?? why;
      } catch {
        // not a problem document; the status is all there is
      }
      reject(new Error(why));
    };
    request.onerror = () => reject(new Error("No connection."));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.send(file);
  });
}
