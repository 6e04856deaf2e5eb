/**
 * What a client knows of the world: snapshot and events reduced to what they are about. Pure.
 *
 * Absolute values with `rev`: the higher wins, so repeats do no harm (I7: old snapshot + events = fresh snapshot). Every
 * reducer returns the same object when nothing changed, so that whoever shows it can compare by identity.
 */

import type {
  AgentCard,
  Alarm,
  Conversation,
  HelloResult,
  Invitation,
  Item,
  Me,
  Mention,
  Message,
  PoolCard,
  ServerEvents,
  Wall,
  Workbench,
} from "./protocol";

export interface View {
  readonly me: Me | null;
  readonly conversations: Readonly<Record<string, Conversation>>;
  /** what was said last in each log: most events about conversations do not carry it, and may come after it */
  readonly last: Readonly<Record<string, Message>>;
  /** the end of the log of what is not closed: a state that comes after messages may be older than they are */
  readonly tails: Readonly<Record<string, readonly Message[]>>;
  readonly agents: Readonly<Record<string, AgentCard>>;
  readonly watching: readonly string[];
  readonly invitations: Readonly<Record<string, Invitation>>;
  /** the unread ones, by message */
  readonly mentions: Readonly<Record<string, Mention>>;
  readonly rights: Readonly<Record<string, string>>;
  readonly items: Readonly<Record<string, Item>>;
  readonly alarms: Readonly<Record<string, Alarm>>;
  readonly wall: Wall | null;
  /** where somebody waits whom this account may take */
  readonly pools: readonly PoolCard[];
  /** of an account: what their workbench goes by */
  readonly workbench: Workbench | null;
}

export const EMPTY: View = {
  me: null,
  conversations: {},
  last: {},
  tails: {},
  agents: {},
  watching: [],
  invitations: {},
  mentions: {},
  rights: {},
  items: {},
  alarms: {},
  wall: null,
  pools: [],
  workbench: null,
};

/** Messages of each log that are kept to be told after a state that is older than they are. */
const TAIL_MAX = 100;

function by<T>(things: readonly T[], key: (thing: T) => string): Record<string, T> {
  return Object.fromEntries(things.map((thing) => [key(thing), thing]));
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record;
  const { [key]: _gone, ...rest } = record;
  return rest;
}

/** Whether a snapshot for this session holds the conversation. */
export function isOwn(view: View, conversation: Conversation): boolean {
  if (view.me === null || conversation.state === "closed") return false;
  const person = view.me.person;
  if (person.kind === "customer") return conversation.customer.customer_id === person.id;
  return (
    conversation.owner?.id === person.id ||
    conversation.participants.some((each) => each.person.id === person.id) ||
    view.watching.includes(conversation.conversation_id)
  );
}

/** What a fresh `session.hello` would give: the own conversations that are not closed, by id. */
export function snapshot(view: View): Conversation[] {
  return Object.keys(view.conversations)
    .sort()
    .map((key) => view.conversations[key] as Conversation)
    .filter((conversation) => isOwn(view, conversation));
}

/** Take a snapshot. Also the ids of conversations that it should have held, were nothing missed. */
export function begin(view: View, hello: HelloResult): { view: View; doubtful: string[] } {
  const taken = hello.snapshot;
  const next: View = {
    ...view,
    me: hello.me,
    watching: taken.watching,
    invitations: by(taken.invitations, (each) => each.conversation_id),
    mentions: by(taken.mentions, (each) => each.message_id),
    rights: taken.rights,
    pools: taken.pools,
    workbench: taken.workbench,
  };
  const given = new Set(taken.conversations.map((each) => each.conversation_id));
  const doubtful = snapshot(next)
    .map((each) => each.conversation_id)
    .filter((id) => !given.has(id));
  // Into one copy: a copy for each of 500 would keep the page waiting.
  const conversations = { ...next.conversations };
  const last = { ...next.last };
  for (const conversation of taken.conversations) {
    const id = conversation.conversation_id;
    const known = conversations[id];
    const news = conversation.last_message && isLater(last[id], conversation.last_message);
    if (news) last[id] = conversation.last_message as Message;
    if (known === undefined || conversation.rev > known.rev)
      conversations[id] = merged(known, conversation, last[id], next.tails[id]);
    else if (news) conversations[id] = { ...known, last_message: conversation.last_message };
  }
  const agents = taken.me ? { ...next.agents, [taken.me.account_id]: taken.me } : next.agents;
  return { view: { ...next, conversations, last, agents }, doubtful };
}

/** A conversation as it is now, or was. Of one that is known in this version or a later one nothing is taken but what was
 * said last: most pictures do not carry that, and the one that does may come late. */
export function put(view: View, conversation: Conversation): View {
  const id = conversation.conversation_id;
  const known = view.conversations[id];
  const next = conversation.last_message ? remember(view, conversation.last_message) : view;
  if (known !== undefined && conversation.rev <= known.rev) {
    if (next === view) return view;
    return { ...next, conversations: { ...next.conversations, [id]: { ...known, last_message: next.last[id] ?? null } } };
  }
  const now = merged(known, conversation, next.last[id], next.tails[id]);
  const tails = now.state === "closed" ? without(next.tails, id) : next.tails;
  return { ...next, tails, conversations: { ...next.conversations, [id]: now } };
}

function merged(
  known: Conversation | undefined,
  given: Conversation,
  last: Message | undefined,
  tail: readonly Message[] = [],
): Conversation {
  const now = tail.reduce(after, given);
  return {
    ...now,
    head_seq: Math.max(now.head_seq, known?.head_seq ?? 0),
    customer_messages: Math.max(now.customer_messages, known?.customer_messages ?? 0),
    customer_messages_read: Math.max(now.customer_messages_read, known?.customer_messages_read ?? 0),
    answered: now.answered || (known?.answered ?? false),
    last_message: last ?? null,
  };
}

/** It is not for this session any more. */
export function forget(view: View, conversationId: string): View {
  return {
    ...view,
    conversations: without(view.conversations, conversationId),
    last: without(view.last, conversationId),
    tails: without(view.tails, conversationId),
  };
}

/** A message was added to its log; called in the order of the log. */
export function said(view: View, message: Message): View {
  const id = message.conversation_id;
  const kept = view.conversations[id]?.state === "closed" ? view : keep(view, message);
  return withLast(remember(kept, message), id, (known) => after(known, message));
}

function keep(view: View, message: Message): View {
  const id = message.conversation_id;
  const before = view.tails[id] ?? [];
  // Otherwise the log is told from its beginning once more.
  const goesOn = (before.at(-1)?.seq ?? 0) < message.seq;
  const tail = [...(goesOn ? before : []), message].slice(-TAIL_MAX);
  return { ...view, tails: { ...view.tails, [id]: tail } };
}

/** A message was recalled. */
export function changed(view: View, message: Message): View {
  const id = message.conversation_id;
  if (view.last[id]?.seq !== message.seq) return view;
  return withLast(remember(view, message), id, (known) => known);
}

function withLast(view: View, id: string, change: (known: Conversation) => Conversation): View {
  const known = view.conversations[id];
  if (known === undefined) return view;
  const now = { ...change(known), last_message: view.last[id] ?? null };
  return { ...view, conversations: { ...view.conversations, [id]: now } };
}

/** A conversation after a message was added to its log; the same when it knew of that. */
function after(known: Conversation, message: Message): Conversation {
  if (message.seq <= known.head_seq) return known;
  const told = { ...known, head_seq: message.seq };
  if (message.sender.kind === "customer") {
    const waiting_since = known.waiting_since ?? message.created_at;
    return { ...told, customer_messages: known.customer_messages + 1, waiting_since };
  }
  if (message.sender.kind === "system" || message.internal) return told;
  const byOwner = message.sender.kind === "agent" && message.sender.id === known.owner?.id;
  return { ...told, waiting_since: null, answered: known.answered || byOwner };
}

function remember(view: View, message: Message): View {
  if (!isLater(view.last[message.conversation_id], message)) return view;
  return { ...view, last: { ...view.last, [message.conversation_id]: message } };
}

/** Whether these are the last words now: what the system says are none. */
function isLater(last: Message | undefined, message: Message): boolean {
  if (message.sender.kind === "system") return false;
  return last === undefined || message.seq > last.seq || (message.seq === last.seq && message.rev > last.rev);
}

function newer<T extends { rev: number }>(
  kept: Readonly<Record<string, T>>,
  key: string,
  value: T,
): Readonly<Record<string, T>> {
  const known = kept[key];
  return known !== undefined && known.rev >= value.rev ? kept : { ...kept, [key]: value };
}

type Reducers = { [Name in keyof ServerEvents]?: (view: View, params: ServerEvents[Name]) => View };

function conversationChanged(view: View, params: { conversation: Conversation }): View {
  return put(view, params.conversation);
}

const REDUCERS: Reducers = {
  "conversation.queued": conversationChanged,
  "conversation.assigned": conversationChanged,
  "conversation.updated": conversationChanged,
  "conversation.ended": conversationChanged,
  "conversation.closed": conversationChanged,
  "agent.changed": (view, { agent }) => ({ ...view, agents: { ...view.agents, [agent.account_id]: agent } }),
  "queue.moved": (view, { conversation_id, ...moved }) => {
    const known = view.conversations[conversation_id];
    if (!known?.queue) return view;
    const queue = { ...known.queue, ...moved } as NonNullable<Conversation["queue"]>;
    return { ...view, conversations: { ...view.conversations, [conversation_id]: { ...known, queue } } };
  },
  "read.advanced": (view, { conversation_id, side, seq, customer_messages }) => {
    const known = view.conversations[conversation_id];
    const member = side === "customer" ? "read_by_customer" : "read_by_staff";
    if (known === undefined || known[member] >= seq) return view;
    const read = Math.max(known.customer_messages_read, customer_messages ?? 0);
    const told = { ...known, [member]: seq, customer_messages_read: read };
    return { ...view, conversations: { ...view.conversations, [conversation_id]: told } };
  },
  "item.changed": (view, { item }) => ({ ...view, items: newer(view.items, item.item_id, item) }),
  "alarm.changed": (view, { alarm }) => ({ ...view, alarms: newer(view.alarms, alarm.alarm_id, alarm) }),
  "monitor.watching": (view, { watching }) => ({ ...view, watching }),
  "monitor.changed": (view, { wall }) => ({ ...view, wall }),
  "queue.changed": (view, { pools }) => ({ ...view, pools }),
  "workbench.changed": (view, { workbench }) => ({ ...view, workbench }),
  "rights.changed": (view, { rights }) => ({ ...view, rights }),
  "invitation.received": (view, { invitation }) => ({
    ...view,
    invitations: { ...view.invitations, [invitation.conversation_id]: invitation },
  }),
  "invitation.ended": (view, { conversation_id }) => ({
    ...view,
    invitations: without(view.invitations, conversation_id),
  }),
  "mention.changed": (view, { mention }) => ({
    ...view,
    mentions: mention.read_at
      ? without(view.mentions, mention.message_id)
      : { ...view.mentions, [mention.message_id]: mention },
  }),
};

/** Any notification about state; the same object when it said nothing new. */
export function apply<Name extends keyof ServerEvents>(
  view: View,
  name: Name,
  params: ServerEvents[Name],
): View {
  const reducer = REDUCERS[name] as ((view: View, params: ServerEvents[Name]) => View) | undefined;
  return reducer === undefined ? view : reducer(view, params);
}
