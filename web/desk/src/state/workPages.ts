/** Pages of the lists that the server gives on asking: the queue, the recent ones, all permitted ones. */

import type { Conversation, PoolCard } from "@pointsman/shared";
import { reactive, shallowRef } from "vue";
import { whyOf } from "./refusals";
import { useSession } from "./session";
import type { Scope } from "./workLists";

export type PagedScope = Exclude<Scope, "mine" | "shared">;

export interface Page {
  ids: string[];
  cursor: string | null;
  phase: "new" | "loading" | "there" | "failed";
  why: string;
}

export const PAGE = 50;
const fresh = (): Page => ({ ids: [], cursor: null, phase: "new", why: "" });

export class Pages {
  readonly known = shallowRef<Readonly<Record<string, Conversation>>>({});
  readonly pages = reactive<Record<PagedScope, Page>>({ queue: fresh(), recent: fresh(), all: fresh() });
  private readonly session = useSession();

  /** lists that are being fetched anew, and whether something changed meanwhile */
  private readonly following = new Map<PagedScope, boolean>();

  get pools(): readonly PoolCard[] {
    return this.session.view.pools;
  }

  get queued(): number {
    return this.pools.reduce((sum, pool) => sum + pool.length, 0);
  }

  /** Something in this list changed: its first page anew, and once more when it changed again meanwhile. */
  async follow(scope: PagedScope): Promise<void> {
    if (this.following.has(scope)) {
      this.following.set(scope, true);
      return;
    }
    do {
      this.following.set(scope, false);
      await this.load(scope);
    } while (this.following.get(scope) === true);
    this.following.delete(scope);
  }

  /** The first page anew; what is shown stays until it is there. */
  async load(scope: PagedScope): Promise<void> {
    const page = this.pages[scope];
    if (page.phase === "loading") return;
    const first = page.phase !== "there";
    if (first) page.phase = "loading";
    try {
      const result = await this.session.ask("conversation.list", { scope, limit: PAGE });
      this.take(result.conversations);
      const ids = result.conversations.map((each) => each.conversation_id);
      const kept = scope === "queue" || first ? [] : page.ids.filter((id) => !ids.includes(id));
      page.ids = [...ids, ...kept];
      if (first || scope === "queue") page.cursor = result.cursor;
      page.phase = "there";
    } catch (error) {
      page.why = whyOf(error);
      if (first) page.phase = "failed";
    }
  }

  async more(scope: PagedScope): Promise<void> {
    const page = this.pages[scope];
    if (page.cursor === null || page.phase === "loading") return;
    page.phase = "loading";
    try {
      const result = await this.session.ask("conversation.list", { scope, limit: PAGE, cursor: page.cursor });
      this.take(result.conversations);
      const there = new Set(page.ids);
      page.ids = [...page.ids, ...result.conversations.map((each) => each.conversation_id).filter((id) => !there.has(id))];
      page.cursor = result.cursor;
    } catch (error) {
      page.why = whyOf(error);
    }
    page.phase = "there";
  }

  /** The server told how this one is now; `head`: it stands in the list of all. Null: the reader may see it no longer. */
  told(id: string, conversation: Conversation | null, head: boolean): void {
    const page = this.pages.all;
    if (conversation === null) {
      for (const each of Object.values(this.pages)) each.ids = each.ids.filter((kept) => kept !== id);
      return;
    }
    this.take([conversation]);
    // The newest first: ids are in the order of time.
    if (head && page.phase === "there" && !page.ids.includes(id)) page.ids = [id, ...page.ids].sort().reverse();
  }

  private take(conversations: readonly Conversation[]): void {
    const next = { ...this.known.value };
    for (const each of conversations) {
      const before = next[each.conversation_id];
      if (before === undefined || each.rev >= before.rev) next[each.conversation_id] = each;
    }
    this.known.value = next;
  }
}
