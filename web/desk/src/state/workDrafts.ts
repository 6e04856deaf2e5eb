/** What is written and not sent: per conversation and kind, over reloads, in this browser. */

import { reactive } from "vue";

export type DraftKind = "reply" | "note";
const KEEP_MS = 14 * 24 * 3600_000;

interface Kept {
  text: string;
  at: number;
}

export class Drafts {
  private readonly kept: Record<string, Kept>;

  constructor(
    private readonly key: string,
    private readonly storage: Pick<Storage, "getItem" | "setItem"> = localStorage,
    now = Date.now(),
  ) {
    this.kept = reactive(restored(storage.getItem(key), now));
  }

  of(conversation: string, kind: DraftKind): string {
    return this.kept[`${conversation}:${kind}`]?.text ?? "";
  }

  /** Whether something of either kind is written. */
  any(conversation: string): boolean {
    return (["reply", "note"] as const).some((kind) => this.of(conversation, kind).trim() !== "");
  }

  set(conversation: string, kind: DraftKind, text: string): void {
    const name = `${conversation}:${kind}`;
    if (text === "") delete this.kept[name];
    else this.kept[name] = { text, at: Date.now() };
    this.storage.setItem(this.key, JSON.stringify(this.kept));
  }

  /** A text that could not be sent comes back before what was written since. */
  giveBack(conversation: string, kind: DraftKind, text: string): void {
    const since = this.of(conversation, kind);
    this.set(conversation, kind, since.trim() === "" ? text : `${text}\n${since}`);
  }
}

function restored(text: string | null, now: number): Record<string, Kept> {
  if (text === null) return {};
  try {
    const all = JSON.parse(text) as Record<string, Kept>;
    return Object.fromEntries(Object.entries(all).filter(([, kept]) => now - kept.at < KEEP_MS));
  } catch {
    return {};
  }
}
