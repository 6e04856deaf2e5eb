/** A conversation's log as rows to show: day lines, who begins to speak, what is still on its way. Pure. */

import type { Message } from "@pointsman/shared";
import type { Pending } from "./workOutbox";
import { dayIn, instantIn } from "./zones";

export type Row =
  | { kind: "day"; key: string; at: string }
  | { kind: "system"; key: string; message: Message }
  | { kind: "said"; key: string; message: Message; first: boolean; own: boolean }
  | { kind: "pending"; key: string; pending: Pending };

/** so many entries fill a screen: none are fetched before somebody goes up */
export const ENOUGH = 20;
const PAUSE_MS = 5 * 60_000;

/** The day of a moment in a zone: its name, and from when to when it lasts. */
function dayOf(zone: string, ms: number): { name: string; from: number; until: number } {
  const name = dayIn(zone, ms);
  const after = new Date(Date.parse(name) + 86_400_000).toISOString().slice(0, 10);
  const begin = (day: string): number => Date.parse(instantIn(zone, `${day}T00:00`) ?? "");
  return { name, from: begin(name), until: begin(after) };
}

/** What follows a message depends on: the day it is in, and whether its speaker goes on. */
interface Reached {
  day: { name: string; from: number; until: number };
  before: Message | null;
}

const START: Reached = { day: { name: "", from: 0, until: 0 }, before: null };

/** The rows of `messages` after what was reached, onto `shown`. */
function lay(messages: readonly Message[], me: string, zone: string, reached: Reached, shown: Row[]): Reached {
  let { day, before } = reached;
  for (const message of messages) {
    const at = Date.parse(message.created_at);
    if (at < day.from || at >= day.until) {
      day = dayOf(zone, at);
      shown.push({ kind: "day", key: `day:${day.name}`, at: message.created_at });
      before = null;
    }
    if (message.body?.kind === "system") {
      shown.push({ kind: "system", key: message.message_id, message });
      before = null;
      continue;
    }
    shown.push({
      kind: "said",
      key: message.message_id,
      message,
      first: before === null || !goesOn(before, message),
      own: message.sender.id === me && message.sender.kind === "agent",
    });
    before = message;
  }
  return { day, before };
}

/**
 * The rows of one log, again and again: what was laid out stays as it is, and only what came after it is laid out. Another
 * log, another reader, a message that was recalled, older ones before it: all anew.
 */
export class Rows {
  private messages: readonly Message[] = [];
  private me = "";
  private zone = "";
  private laid: Row[] = [];
  private reached = START;

  /** Rows from the oldest to the newest, days as they are in `zone`; what is on its way, and not in the log yet, comes last. */
  of(messages: readonly Message[], pending: readonly Pending[], me: string, zone: string): Row[] {
    const known = this.messages.length;
    const goesOn = me === this.me && zone === this.zone && begins(messages, this.messages);
    if (goesOn && messages.length > known) {
      this.laid = this.laid.slice();
      this.reached = lay(messages.slice(known), me, zone, this.reached, this.laid);
    } else if (!goesOn) {
      this.laid = [];
      this.reached = lay(messages, me, zone, START, this.laid);
    }
    [this.messages, this.me, this.zone] = [messages, me, zone];
    const there = pending.length === 0 ? null : new Set(messages.map((each) => each.client_message_id));
    const coming = pending.filter((each) => !there?.has(each.id));
    if (coming.length === 0) return this.laid;
    return [...this.laid, ...coming.map((each): Row => ({ kind: "pending", key: `pending:${each.id}`, pending: each }))];
  }
}

/** Whether `all` begins with these very messages. Comparing identities of ten thousand takes some microseconds. */
function begins(all: readonly Message[], with_: readonly Message[]): boolean {
  return all.length >= with_.length && with_.every((each, at) => each === all[at]);
}

function goesOn(before: Message, after: Message): boolean {
  return (
    before.sender.id === after.sender.id &&
    before.sender.kind === after.sender.kind &&
    before.internal === after.internal &&
    Date.parse(after.created_at) - Date.parse(before.created_at) < PAUSE_MS
  );
}

/** The facts of a system entry that its sentence names. */
export function facts(data: Readonly<Record<string, unknown>>): { who: string; by: string; rule: string; text: string; reason: string } {
  return {
    who: named(data["who"] ?? data["owner"] ?? data["to"]),
    by: named(data["by"]),
    rule: named(data["rule"]),
    text: typeof data["text"] === "string" ? data["text"] : "",
    reason: typeof data["reason"] === "string" ? data["reason"] : "",
  };
}

function named(who: unknown): string {
  if (Array.isArray(who)) return who.map(named).filter(Boolean).join(", ");
  if (who !== null && typeof who === "object" && "name" in who) return String(who.name);
  return typeof who === "string" ? who : "";
}

/** Where an `@` stands that is being typed at `at`, and what follows it; null when none is. An address (a@b) has none. */
export function mentionAt(text: string, at: number): { from: number; name: string } | null {
  const found = /(?:^|[^A-Za-z0-9._-])@([^\s@]{0,30})$/u.exec(text.slice(0, at));
  return found === null ? null : { from: at - (found[1] as string).length - 1, name: found[1] as string };
}

/** Whose names a note's text holds after an `@`. */
export function mentioned(text: string, people: readonly { id: string; name: string }[]): string[] {
  const longest = [...people].sort((a, b) => b.name.length - a.name.length);
  const found = new Set<string>();
  let rest = text;
  for (const person of longest) {
    if (person.name !== "" && rest.includes(`@${person.name}`)) {
      found.add(person.id);
      rest = rest.replaceAll(`@${person.name}`, " ");
    }
  }
  return people.filter((each) => found.has(each.id)).map((each) => each.id);
}
