/** Who types what, as others tell it; forgotten when nothing more is heard. */

import type { ServerEvents } from "@pointsman/shared";
import { reactive } from "vue";

export interface Typist {
  id: string;
  name: string;
  customer: boolean;
  text: string;
  holds: boolean;
}

const FORGET_MS = 6000;

export class Typing {
  private readonly typists = reactive<Record<string, Record<string, Typist>>>({});
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  of(conversation: string): Typist[] {
    return Object.values(this.typists[conversation] ?? {});
  }

  hear(told: ServerEvents["typing.changed"]): void {
    const id = told.who.id ?? told.who.kind;
    const name = `${told.conversation_id}:${id}`;
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
    if (!told.typing) {
      this.forget(told.conversation_id, id);
      return;
    }
    (this.typists[told.conversation_id] ??= {})[id] = {
      id,
      name: told.who.name,
      customer: told.who.kind === "customer",
      text: told.text,
      holds: told.holds_reply,
    };
    this.timers.set(
      name,
      setTimeout(() => this.forget(told.conversation_id, id), FORGET_MS),
    );
  }

  /** Somebody sent it: nothing is being typed any more. */
  forget(conversation: string, id: string): void {
    const there = this.typists[conversation];
    if (there) delete there[id];
  }
}
