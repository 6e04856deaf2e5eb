/**
 * The web client of the wire protocol: connect, resume, requests, gap filling, a patient outbox. One per session.
 *
 * Promises: every message of a known conversation is told once, in the order of its log; what `send` was given is
 * repeated under the same id until there is an answer that is final; the client comes back by itself, as close codes say.
 */

import { Log } from "./log";
import type {
  ClientInfo,
  Conversation,
  ErrorCode as ErrorCodeType,
  HelloResult,
  HistoryResult,
  Message,
  Requests,
  SendResult,
  ServerEvents,
} from "./protocol";
import { CloseCode, ErrorCode, SUBPROTOCOL } from "./protocol";
import { delayMs, type Ended, isFinal, PATIENCE, type Patience } from "./reconnect";
import * as reduce from "./view";

export type Phase = "connecting" | "live" | "waiting" | "stopped";

/** What the person should be told about the connection. */
export interface Status {
  phase: Phase;
  /** when the next try is due, as `Date.now()` counts */
  retryAt: number | null;
  ended: Ended | null;
}

/** A refused request. */
export class Refused extends Error {
  constructor(
    readonly code: ErrorCodeType,
    readonly reason: string,
    message: string,
    readonly retryable: boolean,
    readonly retryAfterMs: number | null = null,
    readonly detail: unknown = null,
  ) {
    super(message);
    this.name = "Refused";
  }
}

/** A ticket for the next connection. Throws `Refused` (not retryable) when there is no use in asking again. */
export type TicketSource = () => Promise<string>;

export interface Listener {
  /** state changed: `client.view` is the new one */
  view?: () => void;
  /** a message was taken into its log */
  message?: (message: Message) => void;
  status?: (status: Status) => void;
  event?: <Name extends keyof ServerEvents>(name: Name, params: ServerEvents[Name]) => void;
}

interface Waiting {
  resolve: (result: never) => void;
  reject: (error: Refused) => void;
  timer: ReturnType<typeof setTimeout>;
}

const CURSORS_MAX = 1000;
const PAGE = 200;
/** heartbeats of silence after which a connection is given up */
const SILENCE = 1.6;

const NO_REPLY = (): Refused =>
  new Refused(ErrorCode.COMMIT_UNKNOWN, "no_reply", "No reply came in time.", true);
const NOT_CONNECTED = (): Refused =>
  new Refused(ErrorCode.UNAVAILABLE, "not_connected", "There is no connection.", true);

export class Client {
  view: reduce.View = reduce.EMPTY;
  hello: HelloResult | null = null;
  status: Status = { phase: "connecting", retryAt: null, ended: null };
  readonly logs = new Map<string, Log>();

  private socket: WebSocket | null = null;
  private session: { id: string } | null = null;
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Set<Listener>();
  private readonly fetching = new Set<string>();
  private readonly reading = new Map<string, Promise<boolean>>();
  private readonly sending = new Map<string, Promise<unknown>>();
  private readonly told = new Map<string, number>();
  private live: { promise: Promise<void>; resolve: () => void; reject: (error: Refused) => void };
  private heardAt = 0;
  private toldAt = 0;
  private heart: ReturnType<typeof setInterval> | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private attempt = 0;
  private liveSince = 0;
  private awayMs: number | null = null;
  private closing = false;

  constructor(
    private readonly url: string,
    private readonly tickets: TicketSource,
    private readonly info: ClientInfo,
    private readonly patience: Patience = PATIENCE,
  ) {
    this.live = promised();
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    if (typeof window !== "undefined") {
      window.addEventListener("online", this.soon);
      document.addEventListener("visibilitychange", this.soon);
    }
    void this.connect();
  }

  /** Leave; `signOut` makes an agent offline. */
  async stop(signOut = false): Promise<void> {
    this.closing = true;
    if (typeof window !== "undefined") {
      window.removeEventListener("online", this.soon);
      document.removeEventListener("visibilitychange", this.soon);
    }
    if (this.retry !== null) clearTimeout(this.retry);
    if (this.status.phase === "live") {
      await this.ask("session.bye", { sign_out: signOut }).catch(() => undefined);
    }
    if (this.socket !== null) leave(this.socket);
    this.ended({ code: 1000, reason: "left" });
    this.finish({ code: 1000, reason: "left" });
  }

  /** One request over the live connection, waiting for one at most `replyMs`. Throws `Refused`. */
  async ask<Name extends keyof Requests>(
    method: Name,
    params: Requests[Name]["params"],
  ): Promise<Requests[Name]["result"]> {
    const limit = this.patience.replyMs;
    if (this.status.phase !== "live") await withLimit(this.live.promise, limit, NOT_CONNECTED);
    return this.request(method, params, limit);
  }

  /**
   * Append something exactly once: repeated with the same id until there is an answer that is not retryable. Sends into
   * one conversation go out one after another, in the order of the calls.
   */
  send<Name extends "message.send" | "note.send" | "monitor.whisper">(
    method: Name,
    params: Requests[Name]["params"] & { conversation_id: string },
  ): Promise<SendResult> {
    const before = this.sending.get(params.conversation_id) ?? Promise.resolve();
    const result = before.catch(() => undefined).then(() => this.patiently(method, params));
    this.sending.set(params.conversation_id, result);
    return result;
  }

  private async patiently<Name extends "message.send" | "note.send" | "monitor.whisper">(
    method: Name,
    params: Requests[Name]["params"] & { conversation_id: string },
  ): Promise<SendResult> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = (await this.ask(method, params)) as SendResult;
        this.exists(params.conversation_id, result.seq);
        return result;
      } catch (error) {
        if (!(error instanceof Refused) || !error.retryable || this.status.phase === "stopped") throw error;
        const ended = { code: CloseCode.OVERLOAD, reason: "", waitMs: error.retryAfterMs ?? undefined };
        await pause(error.reason === "not_connected" ? 0 : delayMs(ended, attempt, this.patience));
      }
    }
  }

  /** Say that one types, or has stopped; lost without a word when there is no connection. */
  typing(conversationId: string, typing: boolean, text = ""): void {
    this.notify("typing.set", { conversation_id: conversationId, typing, text });
  }

  log(conversationId: string): Log {
    let log = this.logs.get(conversationId);
    if (log === undefined) {
      log = new Log(this.view.conversations[conversationId]?.head_seq ?? 0);
      this.logs.set(conversationId, log);
    }
    return log;
  }

  /** A conversation as a reply gave it. */
  entered(conversation: Conversation): void {
    this.view = reduce.put(this.view, conversation);
    this.exists(conversation.conversation_id, conversation.head_seq);
    this.changed();
  }

  /** Do not wait for the next try: somebody asks for it, who is there to ask again. */
  retryNow(): void {
    if (this.retry !== null) this.attempt = 0;
    this.soon();
  }

  /** Fetch entries before what is kept; who asks while they are on their way waits for the same. False: there are none. */
  earlier(conversationId: string, limit = 50): Promise<boolean> {
    const underWay = this.reading.get(conversationId);
    if (underWay !== undefined) return underWay;
    const read = this.before(conversationId, limit).finally(() => this.reading.delete(conversationId));
    this.reading.set(conversationId, read);
    return read;
  }

  private async before(conversationId: string, limit: number): Promise<boolean> {
    const log = this.log(conversationId);
    const first = log.messages[0]?.seq ?? log.cursor + 1;
    if (first <= 1) return false;
    const page = await this.ask("message.history", { conversation_id: conversationId, before_seq: first, limit });
    log.before(page.messages);
    this.changed();
    return page.more;
  }

  // --- the connection ------------------------------------------------------------------------------------------------

  private readonly soon = (): void => {
    if (this.retry !== null && document.visibilityState !== "hidden") {
      clearTimeout(this.retry);
      this.retry = null;
      void this.connect();
    }
  };

  private async connect(): Promise<void> {
    this.tell({ phase: "connecting", retryAt: null, ended: this.status.ended });
    let ticket: string;
    try {
      ticket = await this.tickets();
    } catch (error) {
      const refusal = error instanceof Refused ? error : NOT_CONNECTED();
      if (refusal.retryable) this.ended({ code: 1006, reason: refusal.message, waitMs: refusal.retryAfterMs ?? 0 });
      else this.finish({ code: CloseCode.AUTH_FAILED, reason: refusal.message });
      return;
    }
    if (this.closing) return;
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    this.socket = socket;
    const slow = setTimeout(() => socket.close(), this.patience.openMs);
    socket.onopen = () => {
      clearTimeout(slow);
      void this.greet(socket, ticket);
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.heard(event.data as string);
    };
    socket.onclose = (event) => {
      clearTimeout(slow);
      if (this.socket === socket) this.ended({ code: event.code, reason: event.reason });
    };
  }

  private async greet(socket: WebSocket, ticket: string): Promise<void> {
    const cursors = [...this.logs].filter(([, log]) => log.cursor > 0).slice(-CURSORS_MAX);
    const resume = this.session
      ? { session_id: this.session.id, cursors: Object.fromEntries(cursors.map(([id, log]) => [id, log.cursor])) }
      : undefined;
    try {
      const hello = await this.request(
        "session.hello",
        { ticket, client: this.info, ...(resume ? { resume } : {}) },
        this.patience.openMs,
      );
      this.begin(hello);
    } catch (error) {
      if (this.socket !== socket) return;
      const refusal = error instanceof Refused ? error : NO_REPLY();
      socket.onclose = null;
      socket.close();
      this.ended({
        code: refusal.retryable ? CloseCode.OVERLOAD : CloseCode.AUTH_FAILED,
        reason: refusal.message,
        waitMs: refusal.retryAfterMs ?? undefined,
      });
    }
  }

  private begin(hello: HelloResult): void {
    this.hello = hello;
    this.session = { id: hello.session_id };
    const begun = reduce.begin(this.view, hello);
    this.view = begun.view;
    for (const doubtful of begun.doubtful) void this.lookAgain(doubtful);
    for (const conversation of hello.snapshot.conversations) {
      this.exists(conversation.conversation_id, conversation.head_seq);
    }
    if (this.heart !== null) clearInterval(this.heart);
    this.heart = setInterval(() => this.beat(hello.heartbeat_ms), hello.heartbeat_ms / 2);
    this.changed();
  }

  private beat(everyMs: number): void {
    const now = Date.now();
    if (now - this.heardAt > everyMs * SILENCE) {
      this.drop("silence");
      return;
    }
    const news = [...this.logs].filter(([id, log]) => this.told.get(id) !== log.cursor).slice(0, CURSORS_MAX);
    if (news.length > 0 || now - this.toldAt > everyMs / 2) {
      this.notify("hb", { cursors: Object.fromEntries(news.map(([id, log]) => [id, log.cursor])) });
      for (const [id, log] of news) this.told.set(id, log.cursor);
    }
  }

  /** Give a connection up that says nothing; the browser would wait for minutes. */
  private drop(reason: string): void {
    const socket = this.socket;
    if (socket === null) return;
    socket.onclose = null;
    socket.close();
    this.ended({ code: 1006, reason });
  }

  private ended(ended: Ended): void {
    this.socket = null;
    if (this.heart !== null) clearInterval(this.heart);
    this.heart = null;
    for (const each of this.waiting.values()) {
      clearTimeout(each.timer);
      each.reject(new Refused(ErrorCode.COMMIT_UNKNOWN, "connection_lost", "The connection broke.", true));
    }
    this.waiting.clear();
    this.told.clear();
    if (this.closing) return;
    if (isFinal(ended)) {
      this.finish(ended);
      return;
    }
    if (this.status.phase === "live") {
      if (Date.now() - this.liveSince >= this.patience.stableMs) this.attempt = 0;
      this.live = promised();
    }
    const asked = this.awayMs !== null && ended.waitMs === undefined ? { ...ended, waitMs: this.awayMs } : ended;
    this.awayMs = null;
    const wait = delayMs(asked, this.attempt, this.patience);
    this.attempt += 1;
    this.retry = setTimeout(() => {
      this.retry = null;
      void this.connect();
    }, wait);
    this.tell({ phase: "waiting", retryAt: Date.now() + wait, ended });
  }

  private finish(ended: Ended): void {
    this.closing = true;
    this.tell({ phase: "stopped", retryAt: null, ended });
    this.live.reject(new Refused(ErrorCode.UNAUTHENTICATED, "stopped", ended.reason, false));
  }

  private tell(status: Status): void {
    this.status = status;
    for (const listener of this.listeners) listener.status?.(status);
  }

  // --- frames --------------------------------------------------------------------------------------------------------

  private request<Name extends keyof Requests>(
    method: Name,
    params: Requests[Name]["params"],
    limitMs: number,
  ): Promise<Requests[Name]["result"]> {
    const socket = this.socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) return Promise.reject(NOT_CONNECTED());
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(NO_REPLY());
      }, limitMs);
      this.waiting.set(id, { resolve: resolve as (result: never) => void, reject, timer });
      this.toldAt = Date.now();
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  private notify(method: string, params: unknown): void {
    if (this.status.phase !== "live" || this.socket?.readyState !== WebSocket.OPEN) return;
    this.toldAt = Date.now();
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
  }

  private heard(data: string): void {
    this.heardAt = Date.now();
    const frame = JSON.parse(data) as {
      id?: number;
      method?: keyof ServerEvents;
      params?: never;
      result?: never;
      error?: { code: ErrorCodeType; message: string; data: { reason: string; retryable: boolean; retry_after_ms?: number; detail?: unknown } };
    };
    if (frame.method !== undefined) {
      this.event(frame.method, frame.params as never);
      return;
    }
    const waiting = frame.id === undefined ? undefined : this.waiting.get(frame.id);
    if (waiting === undefined) return;
    this.waiting.delete(frame.id as number);
    clearTimeout(waiting.timer);
    if (frame.error === undefined) {
      waiting.resolve(frame.result as never);
      return;
    }
    const { code, message, data: facts } = frame.error;
    waiting.reject(
      new Refused(code, facts.reason, message, facts.retryable, facts.retry_after_ms ?? null, facts.detail ?? null),
    );
  }

  private event<Name extends keyof ServerEvents>(name: Name, params: ServerEvents[Name]): void {
    switch (name) {
      case "message.created":
      case "note.created":
        this.take(params as Message);
        return;
      case "message.updated":
        if (this.log((params as Message).conversation_id).update(params as Message)) {
          this.view = reduce.changed(this.view, params as Message);
        }
        break;
      case "session.ready":
        this.liveSince = Date.now();
        this.tell({ phase: "live", retryAt: null, ended: null });
        this.live.resolve();
        break;
      case "session.expiring":
        void this.renew();
        break;
      case "session.going_away":
        this.awayMs = (params as ServerEvents["session.going_away"]).reconnect_in_ms;
        break;
      case "hb":
        for (const [id, seq] of Object.entries((params as ServerEvents["hb"]).heads)) this.exists(id, seq);
        return;
      case "stream.reset": {
        const reset = params as ServerEvents["stream.reset"];
        this.logs.set(reset.conversation_id, new Log(reset.head_seq));
        break;
      }
      default: {
        this.view = reduce.apply(this.view, name, params);
        const conversation = (params as { conversation?: Conversation }).conversation;
        if (conversation) this.exists(conversation.conversation_id, conversation.head_seq);
      }
    }
    this.changed();
    for (const listener of this.listeners) listener.event?.(name, params);
  }

  private take(message: Message): void {
    const known = this.logs.get(message.conversation_id);
    const log = known ?? new Log(message.seq - 1);
    if (known === undefined) this.logs.set(message.conversation_id, log);
    for (const taken of log.take(message)) {
      this.view = reduce.said(this.view, taken);
      for (const listener of this.listeners) listener.message?.(taken);
    }
    this.changed();
    this.complete(message.conversation_id, log);
  }

  /** A log is known to reach `head`. */
  private exists(conversationId: string, head: number): void {
    const known = this.logs.get(conversationId);
    if (known === undefined) {
      this.logs.set(conversationId, new Log(head));
      return;
    }
    known.exists(head);
    this.complete(conversationId, known);
  }

  private complete(conversationId: string, log: Log): void {
    if (!log.missing || this.fetching.has(conversationId)) return;
    this.fetching.add(conversationId);
    void this.fetch(conversationId).finally(() => this.fetching.delete(conversationId));
  }

  private async fetch(conversationId: string): Promise<void> {
    await pause(this.patience.gapMs);
    for (let attempt = 0; ; ) {
      const log = this.logs.get(conversationId);
      if (log === undefined || !log.missing || this.status.phase === "stopped") return;
      try {
        const page: HistoryResult = await this.ask("message.history", {
          conversation_id: conversationId,
          after_seq: log.cursor,
          limit: PAGE,
        });
        for (const message of page.messages) this.take(message);
        if (!page.more) log.endsAt(page.messages.length > 0 ? page.head_seq : log.cursor);
      } catch (error) {
        if (!(error instanceof Refused) || !error.retryable) {
          this.logs.delete(conversationId); // not for this session, or not any more
          return;
        }
        await pause(delayMs({ code: CloseCode.OVERLOAD, reason: "" }, attempt++, this.patience));
      }
    }
  }

  /** A conversation that the snapshot should have held: it was closed or given away meanwhile. */
  private async lookAgain(conversationId: string): Promise<void> {
    try {
      const found = await this.ask("conversation.get", { conversation_id: conversationId });
      this.event("conversation.updated", { conversation: found.conversation });
    } catch {
      this.view = reduce.forget(this.view, conversationId);
      this.changed();
    }
  }

  /** Prolong the session. When that fails the server ends it with 4101, and the client begins anew. */
  async renew(): Promise<void> {
    try {
      await this.ask("session.refresh", { ticket: await this.tickets() });
    } catch {
      return;
    }
  }

  private changed(): void {
    for (const listener of this.listeners) listener.view?.();
  }
}

function promised(): { promise: Promise<void>; resolve: () => void; reject: (error: Refused) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: Refused) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined); // nobody need wait for it
  return { promise, resolve, reject };
}

/** Once it is open, if it is still connecting: closed earlier, browsers report it as an error of the page. */
function leave(socket: WebSocket): void {
  socket.onmessage = socket.onclose = null;
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
  else socket.close(1000);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function withLimit<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
