/** What was sent and is not in the log yet: kept over a reload, and sent again under the same id.
 *
 * Tabs of one browser share what is kept. Should two of them send the same, the server takes it once; whoever hears of
 * the outcome first takes it off the shelf, and the others are silent about it. */

import { type Client, ErrorCode, type NoteParams, Refused, type SendParams, type SendResult, type WhisperParams } from "@pointsman/shared";
import { reactive } from "vue";
import { whyOf } from "./refusals";
import { Shelf, type Store } from "./workShelf";

/** How something is said, and what can be said so. */
type Said =
  | { method: "message.send"; body: SendParams["body"] }
  | { method: "note.send"; body: NoteParams["body"] }
  | { method: "monitor.whisper"; body: WhisperParams["body"] };

export type Given = Said & { conversation: string; epoch: number | null };

export type Pending = Given & {
  id: string;
  at: string;
  /** the order among those of the same instant */
  n: number;
  /** why it was refused for good; null while it is on its way */
  failed: string | null;
};

/** What became of it. `stale`: the conversation changed hands, nothing was stored. */
export type Outcome = { kind: "sent" } | { kind: "stale"; owner: { id: string | null; name: string } | null } | { kind: "refused"; why: string };

export class Outbox {
  readonly pending: Pending[] = reactive([]);
  private readonly going = new Set<string>();
  private readonly shelf: Shelf<Pending>;
  private made = 0;

  constructor(
    key: string,
    private readonly send: Client["send"],
    private readonly told: (pending: Pending, outcome: Outcome) => void,
    store: Store = localStorage,
  ) {
    this.shelf = new Shelf(key, store);
    this.adopt();
  }

  of(conversation: string): Pending[] {
    return this.pending.filter((each) => each.conversation === conversation);
  }

  add(given: Given): void {
    const made: Pending = { ...given, id: crypto.randomUUID(), at: new Date().toISOString(), n: this.made++, failed: null };
    this.pending.push(made);
    this.shelf.put(made.id, made);
    void this.go(made);
  }

  again(id: string): void {
    const found = this.pending.find((each) => each.id === id);
    if (found === undefined) return;
    found.failed = null;
    void this.go(found);
  }

  drop(id: string): void {
    this.unlist(id);
    this.shelf.drop(id);
  }

  /** Take on what a tab left behind that is not there any more. */
  adopt(): void {
    const left = this.shelf.all().map(([, pending]) => pending);
    const strange = left.filter((each) => !this.pending.some((own) => own.id === each.id));
    strange.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.n - b.n);
    this.pending.push(...strange);
    for (const each of strange) if (each.failed === null) void this.go(each);
  }

  /** Another tab took something off the shelf: it is done with. */
  hear(event: Pick<StorageEvent, "key" | "newValue">): void {
    const id = this.shelf.nameOf(event.key);
    if (id !== null && event.newValue === null) this.unlist(id);
  }

  private post(pending: Pending): Promise<SendResult> {
    const to = { conversation_id: pending.conversation, client_message_id: pending.id };
    switch (pending.method) {
      case "message.send":
        return this.send("message.send", { ...to, body: pending.body, ...(pending.epoch === null ? {} : { assign_epoch: pending.epoch }) });
      case "note.send":
        return this.send("note.send", { ...to, body: pending.body });
      case "monitor.whisper":
        return this.send("monitor.whisper", { ...to, body: pending.body });
    }
  }

  private async go(pending: Pending): Promise<void> {
    if (this.going.has(pending.id)) return;
    this.going.add(pending.id);
    let outcome: Outcome;
    try {
      await this.post(pending);
      outcome = { kind: "sent" };
    } catch (error) {
      if (error instanceof Refused && error.reason === "stopped") return; // it goes out after the next sign-in
      outcome = outcomeOf(error);
    }
    this.going.delete(pending.id);
    const listed = this.pending.find((each) => each.id === pending.id);
    if (listed === undefined) return;
    if (outcome.kind === "refused") {
      listed.failed = outcome.why;
      this.shelf.put(listed.id, { ...listed });
    } else {
      this.drop(pending.id);
    }
    this.told(pending, outcome);
  }

  private unlist(id: string): void {
    const at = this.pending.findIndex((each) => each.id === id);
    if (at >= 0) this.pending.splice(at, 1);
  }
}

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Refused)) throw error;
  if (error.code === ErrorCode.STALE_ASSIGNMENT) {
    const detail = error.detail as { owner?: { id: string | null; name: string } | null } | null;
    return { kind: "stale", owner: detail?.owner ?? null };
  }
  return { kind: "refused", why: whyOf(error) };
}
