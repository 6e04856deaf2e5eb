/** The own status; and what becomes of open conversations when one goes. */

import { type AgentStatus, Refused } from "@pointsman/shared";
import { useSession } from "./session";
import { useWork } from "./work";

/** Conversations that are in one's hands now. */
export function held(): number {
  const session = useSession();
  return Object.values(session.view.conversations).filter((each) => each.owner?.id === session.myId && each.state === "active").length;
}

/** Going offline with open conversations asks first what becomes of them (`what`). */
export async function setStatus(status: AgentStatus, what: "keep" | "requeue" | null = null): Promise<void> {
  const session = useSession();
  const work = useWork();
  const card = session.myCard;
  if (card === null || (card.status === status && !card.counted_offline)) return;
  if (status === "offline" && what === null && held() > 0) {
    work.dialog = "offline";
    return;
  }
  try {
    await session.ask("agent.set_status", { status, open_conversations: what });
  } catch (error) {
    if (error instanceof Refused && error.reason === "open_conversations" && what === null) work.dialog = "offline";
    else work.refused(error);
  }
}
