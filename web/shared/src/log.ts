/** One conversation's log as a client has it: contiguous up to `cursor`. Pure: no clock, no I/O. */

import type { Message } from "./protocol";

/** Messages kept behind a hole; later ones are dropped and come again with the history. */
export const HELD_MAX = 1000;

/** Messages by `seq`, each taken exactly once and in order, whatever is doubled, late or missing on the way. */
export class Log {
  /** everything up to it was taken */
  cursor: number;
  /** the highest `seq` that is known to exist */
  head: number;
  /** lowest `seq` that is kept; what is before it is fetched when somebody scrolls there */
  messages: Message[] = [];
  private readonly held = new Map<number, Message>();

  constructor(cursor = 0) {
    this.cursor = cursor;
    this.head = cursor;
  }

  get missing(): boolean {
    return this.head > this.cursor;
  }

  /** What may be applied now that this message came, in order: nothing for a repeat or beyond a hole. */
  take(message: Message): Message[] {
    if (message.seq <= this.cursor) return [];
    this.head = Math.max(this.head, message.seq);
    if (message.seq > this.cursor + 1) {
      if (this.held.size < HELD_MAX) this.held.set(message.seq, message);
      return [];
    }
    const taken = [message];
    for (let next = message.seq + 1; this.held.has(next); next += 1) {
      taken.push(this.held.get(next) as Message);
      this.held.delete(next);
    }
    this.cursor = (taken[taken.length - 1] as Message).seq;
    for (const seq of this.held.keys()) if (seq <= this.cursor) this.held.delete(seq);
    this.messages = [...this.messages, ...taken];
    return taken;
  }

  /** An entry changed (it was recalled). False for an older version of a kept one. */
  update(message: Message): boolean {
    const index = this.messages.findLastIndex((kept) => kept.seq === message.seq);
    if (index >= 0) {
      const kept = this.messages[index] as Message;
      if (message.rev <= kept.rev) return false;
      this.messages = this.messages.with(index, message);
      return true;
    }
    const held = this.held.get(message.seq);
    if (held !== undefined && message.rev > held.rev) this.held.set(message.seq, message);
    return true;
  }

  /** Earlier entries were fetched: they stand before what is kept. */
  before(messages: Message[]): void {
    const first = this.messages[0]?.seq ?? this.cursor + 1;
    this.messages = [...messages.filter((each) => each.seq < first), ...this.messages];
  }

  /** The log is known to reach `head`. */
  exists(head: number): void {
    this.head = Math.max(this.head, head);
  }

  /** The server says where the log ends: lower than what was heard of before, if that was wrong. */
  endsAt(head: number): void {
    this.head = Math.max(head, this.cursor);
    for (const seq of this.held.keys()) if (seq > head) this.held.delete(seq);
  }
}
