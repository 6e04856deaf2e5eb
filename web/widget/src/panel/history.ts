/** What was said before: page by page, in this conversation and in those before it. */

import { signal } from "@preact/signals";
import type { Client, Conversation, Message } from "@pointsman/shared";

export class History {
  /** whether there is more than is shown */
  readonly more = signal(false);
  /** the conversation before those that are shown, and where the list goes on; null: not asked yet */
  private past: { before: Conversation | null; cursor: string | null } | null = null;

  constructor(private readonly client: Client) {}

  messages(): Message[] {
    return this.conversations().flatMap((each) => this.client.log(each.conversation_id).messages);
  }

  /** The last page, also of a conversation that is over; and whether there is more. */
  async beginning(): Promise<void> {
    if (this.messages().length > 0) return;
    await this.earlier();
    if (this.conversations().length === 0) await this.earlier(); // what was said last time
  }

  /** What was said before: in this conversation, then in the one before it, and so on. */
  async earlier(): Promise<void> {
    try {
      const oldest = this.conversations()[0];
      if (oldest !== undefined && this.startOf(oldest) > 1) {
        await this.client.earlier(oldest.conversation_id);
      } else if (this.past?.before) {
        this.client.entered(this.past.before);
        await this.client.earlier(this.past.before.conversation_id);
        await this.peek();
      }
      if (this.past === null) await this.peek();
    } catch {
      return; // asked for again when somebody wants to see it
    } finally {
      const oldest = this.conversations()[0];
      this.more.value = (oldest !== undefined && this.startOf(oldest) > 1) || (this.past?.before ?? null) !== null;
    }
  }

  /** Which conversation came before those that are shown. */
  private async peek(): Promise<void> {
    if (this.past?.cursor === null) {
      this.past = { before: null, cursor: null };
      return;
    }
    const shown = this.conversations().at(-1);
    const page = await this.client.ask("conversation.earlier", {
      ...(shown ? { conversation_id: shown.conversation_id } : {}),
      ...(this.past ? { cursor: this.past.cursor } : {}),
      limit: 1,
    });
    this.past = { before: page.conversations[0] ?? null, cursor: page.cursor };
  }

  /** In the order in which they were opened. */
  conversations(): Conversation[] {
    return Object.values(this.client.view.conversations).sort((a, b) => a.opened_at.localeCompare(b.opened_at));
  }

  private startOf(conversation: Conversation): number {
    const log = this.client.log(conversation.conversation_id);
    return log.messages[0]?.seq ?? log.cursor + 1;
  }
}
