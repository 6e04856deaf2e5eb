/** The workbench: which list is shown, what is open, what is written, and everything done with a conversation. */

import { type Conversation, type Message, type Requests, Refused } from "@pointsman/shared";
import { defineStore } from "pinia";
import { computed, markRaw, ref, shallowRef, watch } from "vue";
import { i18n } from "../texts";
import { call, hush } from "./calls";
import { whyOf } from "./refusals";
import { useSession } from "./session";
import { Drafts } from "./workDrafts";
import { Ending, offered } from "./workEnding";
import type { KeyAct } from "./workKeys";
import { Quotes } from "./workQuotes";
import { inOrder, later, listed, type Scope, SCOPES, takesPart } from "./workLists";
import { Followed, type Sight } from "./workFollowed";
import { Notices } from "./workNotices";
import { type Outcome, Outbox, type Pending } from "./workOutbox";
import { PAGE, Pages } from "./workPages";
import { Seat } from "./workSeat";
import { Typing } from "./workTyping";

export type Dialog = "end" | "transfer" | "invite" | "explain" | "help" | "slots" | "offline" | null;
/** What the reader is to the open conversation. */
export type Part = "owner" | "collaborator" | "watcher" | "reader";

const { t } = i18n.global;

export const useWork = defineStore("work", () => {
  const session = useSession();
  const scope = ref<Scope>("mine");
  const openId = ref<string | null>(null);
  /** what is asked for is not, or no longer, for this reader */
  const missing = ref(false);
  const dialog = ref<Dialog>(null);
  const side = ref(false);
  const now = ref(Date.now());
  /** asked for outside the workbench's own keys: by the palette */
  const wanted = ref<KeyAct | null>(null);
  /** whom the next transfer or invitation begins with */
  const chosen = ref<string | null>(null);
  /** where the page shall go next, after something was done; undefined: it stays */
  const leaving = ref<string | null | undefined>(undefined);
  const pages = markRaw(new Pages());
  const notices = markRaw(new Notices());
  const typing = markRaw(new Typing());
  const followed = markRaw(new Followed(inSight, (params) => session.ask("conversation.follow", params)));
  /** the cells of the list that are drawn */
  const drawn = new Set<string>();
  const ending = markRaw(new Ending(() => session.ask("conversation.choices", {})));
  const quotes = shallowRef<Quotes>(new Quotes("pointsman:quotes:"));
  const drafts = shallowRef<Drafts>(new Drafts("pointsman:drafts:"));
  const outbox = shallowRef<Outbox | null>(null);
  /** another tab of this browser shows the workbench */
  const elsewhere = ref(false);

  setInterval(() => (now.value = Date.now()), 1000);
  watch(
    () => pages.queued,
    (waiting, before) => {
      if (before === 0 && waiting > 0) call("queued", t("me.call.queued"), t("work.queue.length", { n: waiting }));
    },
  );

  const lists = computed(() => {
    const me = session.myId;
    const of = (each: Scope): Conversation[] =>
      listed(each, session.view, me, each === "mine" || each === "shared" ? [] : pages.pages[each].ids, pages.known.value);
    return Object.fromEntries(SCOPES.map((each) => [each, of(each)])) as Record<Scope, Conversation[]>;
  });
  const mine = computed(() => lists.value.mine);
  const open = computed<Conversation | null>(() =>
    openId.value === null || missing.value ? null : (later(pages.known.value[openId.value], session.view.conversations[openId.value]) ?? null),
  );
  const part = computed<Part>(() => {
    const there = open.value;
    if (there === null) return "reader";
    if (there.owner?.id === session.myId) return "owner";
    if (takesPart(there, session.myId)) return "collaborator";
    return session.view.watching.includes(there.conversation_id) ? "watcher" : "reader";
  });
  const invitations = computed(() => Object.values(session.view.invitations));
  const mentions = computed(() =>
    Object.values(session.view.mentions).sort((a, b) => Date.parse(b.at) - Date.parse(a.at)),
  );

  /** For the signed-in person: what they wrote, and what was on its way. */
  function begin(): () => void {
    const me = session.myId;
    const client = session.client;
    quotes.value = new Quotes(`pointsman:quotes:${me}`);
    drafts.value = new Drafts(`pointsman:drafts:${me}`);
    if (client !== null && outbox.value === null) {
      outbox.value = new Outbox(`pointsman:outbox:${me}`, client.send.bind(client), told);
    }
    const stored = (event: StorageEvent): void => {
      drafts.value.hear(event);
      outbox.value?.hear(event);
    };
    window.addEventListener("storage", stored);
    const seat = new Seat(`pointsman:work:${me}`, () => outbox.value?.adopt());
    seat.begin();
    const seated = watch(seat.held, (held) => (elsewhere.value = held === false));
    const stops = [
      session.hear({
        "typing.changed": (told) => typing.hear(told),
        "notice.given": (notice) => notices.say(notice.text),
        "queue.changed": () => follow("queue"),
        "conversation.closed": () => follow("recent"),
        "conversation.followed": (told) => {
          followed.heard(told);
          pages.told(told.conversation_id, told.conversation, scope.value === "all");
          if (told.conversation_id !== openId.value) return;
          if (told.conversation === null) missing.value = part.value === "reader";
          else session.client?.entered(told.conversation);
        },
        "session.ready": again,
      }),
      session.read(heard),
    ];
    again();
    void ending.ask();
    const looking = watch([scope, openId, part, () => pages.pages.all.phase], () => followed.look(), { immediate: true });
    return () => {
      looking();
      followed.end();
      window.removeEventListener("storage", stored);
      seated();
      elsewhere.value = false;
      seat.end();
      for (const stop of stops) stop();
    };
  }

  function follow(changed: "queue" | "recent"): void {
    if (scope.value === changed) void pages.follow(changed);
  }

  /** The list that is shown, after the connection was away: what was told meanwhile was not heard. */
  function again(): void {
    if (scope.value !== "mine" && scope.value !== "shared") void pages.follow(scope.value).then(() => followed.again());
    else followed.again();
  }

  /** What is shown here of conversations in which one takes no part. */
  function inSight(): Sight {
    const head = scope.value === "all" && pages.pages.all.phase === "there";
    const there = open.value;
    const read = there !== null && part.value === "reader" ? [there] : [];
    if (!head && scope.value !== "recent") return { shown: read, head };
    const first = lists.value[scope.value].filter((each, at) => (head && at < PAGE) || drawn.has(each.conversation_id));
    return { shown: [...first, ...read], head };
  }

  /** A cell of the list is drawn, or no longer. */
  function seen(id: string, here: boolean): void {
    if (here) drawn.add(id);
    else drawn.delete(id);
    if (scope.value === "all" || scope.value === "recent") followed.look();
  }

  async function look(id: string): Promise<void> {
    try {
      const found = await session.ask("conversation.get", { conversation_id: id });
      session.client?.entered(found.conversation);
      if (openId.value === id) missing.value = false;
    } catch (error) {
      if (error instanceof Refused && !error.retryable && openId.value === id) missing.value = true;
    }
  }

  function show(chosen: Scope): void {
    scope.value = chosen;
    if (chosen !== "mine" && chosen !== "shared") void pages.load(chosen);
  }

  async function enter(id: string | null): Promise<void> {
    openId.value = id;
    missing.value = false;
    if (id === null) return;
    const known = session.view.conversations[id];
    if (known === undefined || known.state === "closed" || part.value === "reader") await look(id);
    const named = mentions.value.filter((each) => each.conversation_id === id).map((each) => each.message_id);
    if (named.length > 0) await session.ask("mention.read", { message_ids: named }).catch(() => null);
  }

  function heard(message: Message): void {
    if (message.sender.id !== null) typing.forget(message.conversation_id, message.sender.id);
  }

  function told(pending: Pending, outcome: Outcome): void {
    if (outcome.kind !== "stale") return;
    const kind = pending.method === "message.send" ? "reply" : "note";
    if (pending.body.kind === "text" || pending.body.kind === "note") {
      drafts.value.giveBack(pending.conversation, kind, pending.body.text);
    }
    const mine = outcome.owner?.id === session.myId;
    const key = outcome.owner === null ? "stale_nobody" : mine ? "stale_back" : "stale";
    notices.say(t(`work.notice.${key}`, { who: outcome.owner?.name ?? "" }), "bad", null, 15_000);
    void look(pending.conversation);
  }

  function refused(error: unknown): void {
    if (!(error instanceof Error)) throw error;
    notices.say(t("shell.common.failed", { why: whyOf(error) }), "bad");
  }

  /** One request about a conversation; its new state is shown at once. False: it was refused, and that was said. */
  async function act<Name extends keyof Requests>(method: Name, params: Requests[Name]["params"]): Promise<boolean> {
    try {
      const result = await session.ask(method, params);
      const after = (result as { conversation?: Conversation }).conversation;
      if (after) session.client?.entered(after);
      return true;
    } catch (error) {
      refused(error);
      return false;
    }
  }

  /** `said`: what became of it, and why; absent: as it stands there. */
  async function end(conversation: Conversation, said: { result_tags?: string[]; reason?: string } = {}): Promise<void> {
    const id = conversation.conversation_id;
    const next = inOrder(mine.value).find((each) => each.conversation_id !== id)?.conversation_id ?? null;
    const params = { conversation_id: id, assign_epoch: conversation.assign_epoch, ...said };
    if (!(await act("conversation.end", params))) return;
    if (openId.value === id) leaving.value = next;
    const ended = session.view.conversations[id];
    if (ended !== undefined) ending.offer(ended, conversation.customer.name || t("work.who.anonymous"), Date.now());
  }

  /** Take the last end back, while that is offered. */
  function undo(): void {
    const last = offered(ending.undos, session.view.conversations, Date.now()).at(-1);
    if (last !== undefined) void reopen(last.id);
  }

  async function reopen(id: string): Promise<void> {
    hush();
    ending.drop(id);
    if (!(await act("conversation.reopen", { conversation_id: id }))) return;
    scope.value = "mine";
    leaving.value = id;
  }

  async function pull(conversation: string | null, pool: string | null = null): Promise<void> {
    hush();
    try {
      const taken = await session.ask("conversation.pull", { conversation_id: conversation, pool });
      session.client?.entered(taken.conversation);
      scope.value = "mine";
      leaving.value = taken.conversation.conversation_id;
    } catch (error) {
      if (error instanceof Refused && error.code === 1004) notices.say(t("work.queue.gone"));
      else refused(error);
    }
  }

  async function join(id: string): Promise<void> {
    if (!(await act("participant.join", { conversation_id: id }))) return;
    scope.value = "shared";
    leaving.value = id;
  }

  return {
    scope, openId, missing, dialog, wanted, chosen, side, now, pages, notices, typing, ending, quotes, drafts, outbox, elsewhere, lists, mine, open,
    part, invitations, mentions, leaving, begin, show, seen, enter, look, act, end, undo, reopen, pull, join, refused,
  };
});
