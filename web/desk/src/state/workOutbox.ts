/** What was sent and is not in the log yet: kept over a reload, and sent again under the same id. */

import { type Client, ErrorCode, type NoteParams, Refused, type SendParams } from "@pointsman/shared";
import { reactive } from "vue";

export interface Pending {
  id: string;
  conversation: string;
  method: "message.send" | "note.send" | "monitor.whisper";
  body: SendParams["body"] | NoteParams["body"];
  epoch: number | null;
  at: string;
  /** why it was refused for good; null while it is on its way */
  failed: string | null;
}

/** What became of it. `stale`: the conversation changed hands, nothing was stored. */
export type Outcome = { kind: "sent" } | { kind: "stale"; owner: { id: string | null; name: string } | null } | { kind: "refused"; why: string };

export class Outbox {
  readonly pending: Pending[];
  private readonly going = new Set<string>();

  constructor(
    private readonly key: string,
    private readonly send: Client["send"],
    private readonly told: (pending: Pending, outcome: Outcome) => void,
    private readonly storage: Pick<Storage, "getItem" | "setItem"> = localStorage,
  ) {
    this.pending = reactive(restored(storage.getItem(key)));
    for (const each of this.pending) if (each.failed === null) void this.go(each);
  }

  of(conversation: string): Pending[] {
    return this.pending.filter((each) => each.conversation === conversation);
  }

  add(pending: Omit<Pending, "id" | "at" | "failed">): void {
    const made: Pending = { ...pending, id: crypto.randomUUID(), at: new Date().toISOString(), failed: null };
    this.pending.push(made);
    this.keep();
    void this.go(made);
  }

  again(id: string): void {
    const found = this.pending.find((each) => each.id === id);
    if (found === undefined) return;
    found.failed = null;
    void this.go(found);
  }

  drop(id: string): void {
    const at = this.pending.findIndex((each) => each.id === id);
    if (at >= 0) this.pending.splice(at, 1);
    this.keep();
  }

  private async go(pending: Pending): Promise<void> {
    if (this.going.has(pending.id)) return;
    this.going.add(pending.id);
    let outcome: Outcome;
    try {
      await this.send(pending.method, {
        conversation_id: pending.conversation,
        client_message_id: pending.id,
        body: pending.body,
        ...(pending.method === "message.send" && pending.epoch !== null ? { assign_epoch: pending.epoch } : {}),
      } as never);
      outcome = { kind: "sent" };
    } catch (error) {
      outcome = outcomeOf(error);
    }
    this.going.delete(pending.id);
    if (outcome.kind === "refused") {
      const kept = this.pending.find((each) => each.id === pending.id);
      if (kept) kept.failed = outcome.why;
      this.keep();
    } else {
      this.drop(pending.id);
    }
    this.told(pending, outcome);
  }

  private keep(): void {
    this.storage.setItem(this.key, JSON.stringify(this.pending));
  }
}

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Refused)) throw error;
  if (error.code === ErrorCode.STALE_ASSIGNMENT) {
    const detail = error.detail as { owner?: { id: string | null; name: string } | null } | null;
    return { kind: "stale", owner: detail?.owner ?? null };
  }
  return { kind: "refused", why: error.message };
}

function restored(text: string | null): Pending[] {
  try {
    return text === null ? [] : (JSON.parse(text) as Pending[]);
  } catch {
    return [];
  }
}
