/**
 * What is in sight without one taking part in it: the server is asked to tell what changes there, and nothing else.
 *
 * It is asked anew when something comes into sight that it was not asked about; what it tells on its own it goes on telling.
 */

import type { Conversation, Known, ServerEvents } from "@pointsman/shared";

/** What is shown now; `head`: also whatever comes to the head of the list of all. */
export interface Sight {
  shown: readonly Conversation[];
  head: boolean;
}

type Ask = (params: { conversations: Known[]; head: boolean }) => Promise<unknown>;
type Told = ServerEvents["conversation.followed"];

/** as many as one request may name */
const MOST = 150;
/** while somebody scrolls, the server is asked so often at most */
const PAUSE_MS = 250;

export class Followed {
  private asked = new Set<string>();
  private head = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly sight: () => Sight,
    private readonly ask: Ask,
  ) {}

  /** Something else may be in sight now. */
  look(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.follow(false);
    }, PAUSE_MS);
  }

  /** There is a new connection: it was told nothing yet. */
  again(): void {
    this.follow(true);
  }

  /** The server told of this one, and goes on telling. */
  heard(told: Told): void {
    if (told.conversation === null) this.asked.delete(told.conversation_id);
    else this.asked.add(told.conversation_id);
  }

  end(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.asked.size > 0 || this.head) void this.ask({ conversations: [], head: false }).catch(() => null);
    this.asked.clear();
    this.head = false;
  }

  private follow(anew: boolean): void {
    const { shown, head } = this.sight();
    const wanted = shown.slice(-MOST);
    const known = wanted.every((each) => this.asked.has(each.conversation_id));
    const tidy = this.asked.size <= wanted.length + MOST && (wanted.length > 0 || this.asked.size === 0);
    if (!anew && known && tidy && head === this.head) return;
    if (anew && wanted.length === 0 && !head) return;
    this.asked = new Set(wanted.map((each) => each.conversation_id));
    this.head = head;
    const conversations = wanted.map(({ conversation_id, rev, head_seq }) => ({ conversation_id, rev, head_seq }));
    // Without a connection it is asked when there is one again.
    this.ask({ conversations, head }).catch(() => this.asked.clear());
  }
}
