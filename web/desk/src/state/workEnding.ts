/** The end of conversations: what may be chosen, and for how long an end is offered to be taken back. */

import type { ChoicesResult, Conversation } from "@pointsman/shared";
import { reactive, shallowRef } from "vue";

/** An end that can still be taken back with one key. */
export interface Undo {
  id: string;
  name: string;
  tags: string[];
  /** by this clock */
  until: number;
}

const NOTHING: ChoicesResult = {
  result_tags: [],
  result_tag_required: false,
  undo_s: 10,
  rating_reasons: [],
  rating_correct_s: 0,
};

export class Ending {
  readonly choices = shallowRef<ChoicesResult>(NOTHING);
  readonly undos = reactive<Undo[]>([]);

  constructor(private readonly read: () => Promise<ChoicesResult>) {}

  /** What the shop offers now; what was offered before stays when it cannot be asked. */
  async ask(): Promise<void> {
    this.choices.value = await this.read().catch(() => this.choices.value);
  }

  /** An end may be taken back: one in wrap-up only, what is closed stays closed. */
  offer(ended: Conversation, name: string, now: number): void {
    this.drop(ended.conversation_id);
    const wrapUp = ended.wrap_up_until === null ? 0 : Date.parse(ended.wrap_up_until) - now;
    const length = Math.min(this.choices.value.undo_s * 1000, wrapUp);
    if (ended.state !== "wrap_up" || length <= 0) return;
    this.undos.push({
      id: ended.conversation_id,
      name,
      tags: ended.result_tags.map((tag) => tag.name),
      until: now + length,
    });
    if (this.undos.length > 3) this.undos.shift();
  }

  drop(id: string): void {
    const at = this.undos.findIndex((each) => each.id === id);
    if (at >= 0) this.undos.splice(at, 1);
  }
}

/** What is still offered: not what ran out, nor what its customer or somebody else brought back. */
export function offered(undos: readonly Undo[], conversations: Readonly<Record<string, Conversation>>, now: number): Undo[] {
  return undos.filter((each) => each.until > now && conversations[each.id]?.state === "wrap_up");
}

/** Seconds left, at least one. */
export function secondsLeft(undo: Undo, now: number): number {
  return Math.max(1, Math.ceil((undo.until - now) / 1000));
}

/** With a tag or without it, in the order in which the shop offers them. */
export function toggled(tags: readonly string[], tag: string, order: readonly string[]): string[] {
  const next = tags.includes(tag) ? tags.filter((each) => each !== tag) : [...tags, tag];
  return [...next].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

/** The words of a reason in a language; else in the shop's first. */
export function reasonText(texts: Readonly<Record<string, string>>, language: string): string {
  return texts[language] ?? texts["zh-CN"] ?? Object.values(texts)[0] ?? "";
}
