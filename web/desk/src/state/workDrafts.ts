/** What is written and not sent: per conversation and kind, over reloads, the same in every tab of this browser. */

import { reactive } from "vue";
import { Shelf, type Store } from "./workShelf";

export type DraftKind = "reply" | "note";
const KEEP_MS = 14 * 24 * 3600_000;

interface Kept {
  text: string;
  at: number;
}

export class Drafts {
  private readonly kept: Record<string, Kept>;
  private readonly shelf: Shelf<Kept>;

  constructor(key: string, store: Store = localStorage, now = Date.now()) {
    this.shelf = new Shelf(key, store);
    this.kept = reactive(Object.fromEntries(this.shelf.all()));
    for (const [name, kept] of this.shelf.all()) if (now - kept.at >= KEEP_MS) this.forget(name);
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
    if (text === "") {
      this.forget(name);
      return;
    }
    this.kept[name] = { text, at: Date.now() };
    this.shelf.put(name, this.kept[name]);
  }

  /** A text that could not be sent comes back before what was written since. */
  giveBack(conversation: string, kind: DraftKind, text: string): void {
    const since = this.of(conversation, kind);
    this.set(conversation, kind, since.trim() === "" ? text : `${text}\n${since}`);
  }

  /** Another tab wrote: there is one draft, wherever it is written. */
  hear(event: Pick<StorageEvent, "key">): void {
    const name = this.shelf.nameOf(event.key);
    if (name === null) return;
    const kept = this.shelf.get(name);
    if (kept === null) delete this.kept[name];
    else this.kept[name] = kept;
  }

  private forget(name: string): void {
    delete this.kept[name];
    this.shelf.drop(name);
  }
}
