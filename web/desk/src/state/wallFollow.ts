/** Following one conversation live from the wall: silently until one speaks, takes it over, or lets it be. */

import { type Conversation, type Message, Refused } from "@pointsman/shared";
import { computed, onUnmounted, ref, shallowRef, watch } from "vue";
import { useSession } from "./session";
import { useWall } from "./wall";

/** What one is in the conversation; `nobody`: not let in yet, or any more. */
export type Part = "watching" | "speaking" | "serving" | "nobody";

export function useFollowed(id: string) {
  const session = useSession();
  const wall = useWall();
  const failure = shallowRef<unknown>(null);
  const opening = ref(true);
  const more = ref(false);
  const before = session.view.watching.includes(id);
  let gone = false;
  /** begun here, and so to be ended here */
  let begun = false;
  /** the reply may be there before the event that says the same; from then on that counts */
  const replied = ref(false);
  watch(
    () => session.view.watching.includes(id),
    () => (replied.value = false),
  );

  const conversation = computed<Conversation | null>(() => session.view.conversations[id] ?? null);
  const messages = computed<Message[]>(() => {
    void session.logs;
    return session.client?.logs.get(id)?.messages ?? [];
  });
  const part = computed<Part>(() => {
    const me = session.myId;
    if (conversation.value?.owner?.id === me) return "serving";
    if (conversation.value?.participants.some((each) => each.person.id === me)) return "speaking";
    return session.view.watching.includes(id) || replied.value ? "watching" : "nobody";
  });
  /** whispers are for who watches or joined as a supervisor; the others write notes */
  const whispers = computed(
    () =>
      part.value === "watching" ||
      conversation.value?.participants.some((each) => each.person.id === session.myId && each.role === "supervisor") ===
        true,
  );

  function entered(given: Conversation): void {
    session.client?.entered(given);
  }

  async function open(): Promise<void> {
    opening.value = true;
    failure.value = null;
    try {
      try {
        const reply = await session.ask("monitor.watch", { conversation_id: id });
        begun = !before;
        replied.value = !session.view.watching.includes(id);
        if (gone) await close();
        entered(reply.conversation);
      } catch (error) {
        if (!(error instanceof Refused) || !["takes_part", "conversation_closed"].includes(error.reason)) throw error;
        entered((await session.ask("conversation.get", { conversation_id: id })).conversation);
      }
      if (messages.value.length === 0) await earlier();
      else more.value = (messages.value[0]?.seq ?? 1) > 1;
    } catch (error) {
      failure.value = error;
    } finally {
      opening.value = false;
    }
  }

  async function earlier(): Promise<void> {
    more.value = (await session.client?.earlier(id)) ?? false;
  }

  async function close(): Promise<void> {
    if (!begun) return;
    begun = false;
    await session.ask("monitor.unwatch", { conversation_id: id }).catch(() => undefined);
  }

  async function speak(reason: string): Promise<void> {
    entered((await session.ask("monitor.speak", { conversation_id: id, reason })).conversation);
    begun = replied.value = false;
  }

  async function takeOver(reason: string, keepOwner: boolean): Promise<void> {
    const reply = await session.ask("monitor.take_over", {
      conversation_id: id,
      reason,
      keep_owner: keepOwner,
      assign_epoch: conversation.value?.assign_epoch ?? null,
    });
    entered(reply.conversation);
    begun = replied.value = false;
  }

  async function leave(): Promise<void> {
    await session.ask("participant.leave", { conversation_id: id });
    wall.opened = null;
  }

  async function end(reason: string, tags: string[]): Promise<void> {
    const epoch = conversation.value?.assign_epoch ?? null;
    entered((await session.ask("conversation.end", { conversation_id: id, reason, assign_epoch: epoch, result_tags: tags })).conversation);
  }

  /** `kind`: for the customer, or for colleagues only. */
  async function send(kind: "customer" | "colleagues", text: string): Promise<void> {
    const client = session.client;
    if (client === null) throw new Refused(1050, "not_connected", "There is no connection.", true);
    const named = { conversation_id: id, client_message_id: crypto.randomUUID() };
    if (kind === "customer") await client.send("message.send", { ...named, body: { kind: "text", text } });
    else if (whispers.value) await client.send("monitor.whisper", { ...named, body: { kind: "note", text } });
    else await client.send("note.send", { ...named, body: { kind: "note", text } });
  }

  onUnmounted(() => {
    gone = true;
    void close();
  });

  return {
    conversation, messages, part, whispers, opening, failure, more,
    open, earlier, speak, takeOver, leave, end, send, entered,
  }; // prettier-ignore
}
