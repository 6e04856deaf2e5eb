/** Who can be named in a note of a conversation; asked for when somebody types the first `@`. */

import { ref, type Ref } from "vue";
import { useSession } from "./session";
import { useWork } from "./work";

export interface Mentionable {
  id: string;
  name: string;
  status: string;
}

export function useMentionables(conversation: Ref<string>): { people: Ref<Mentionable[]>; known: () => Promise<void> } {
  const session = useSession();
  const work = useWork();
  const people = ref<Mentionable[]>([]);

  /** Asks once. */
  async function known(): Promise<void> {
    if (people.value.length > 0) return;
    try {
      const found = await session.ask("agent.targets", { act: "invite", conversation_id: conversation.value });
      people.value = found.agents
        .filter((each) => each.permitted || ["owner_already", "participant_already"].includes(each.why_not ?? ""))
        .map((each) => ({ id: each.agent.account_id, name: each.agent.name, status: each.agent.status }));
    } catch (error) {
      work.refused(error);
    }
  }
  return { people, known };
}
