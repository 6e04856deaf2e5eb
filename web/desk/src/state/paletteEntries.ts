/** Everything that can be gone to or done from where one is, as entries of the palette. */

import type { AgentStatus, Conversation, Target } from "@pointsman/shared";
import { useRouter } from "vue-router";
import { customerName, lastLine, word } from "../parts/work/words";
import { i18n } from "../texts";
import type { Entry } from "./palette";
import { places } from "./places";
import { useSession } from "./session";
import { useWork } from "./work";
import type { KeyAct } from "./workKeys";
import { inOrder, later, SCOPES } from "./workLists";
import { setStatus } from "./workStatus";

const { t } = i18n.global;
const STATUSES: AgentStatus[] = ["online", "paused", "offline"];
/** Keys of the words, by act; and what of the conversation it needs. */
const ACTS: readonly [KeyAct, string, "inside" | "owner"][] = [
  ["reply", "work.write.reply", "inside"],
  ["note", "work.write.note", "inside"],
  ["transfer", "work.transfer.open", "owner"],
  ["invite", "work.invite.title", "inside"],
  ["end", "work.end.do", "owner"],
];
const RIGHTS: Partial<Record<KeyAct, string>> = { transfer: "conversation.transfer", invite: "conversation.invite" };

/** Gives the entries as they are now. */
export function usePaletteEntries(): (transfers: readonly Target[], invites: readonly Target[]) => Entry[] {
  const session = useSession();
  const work = useWork();
  const router = useRouter();

  function command(id: string, text: string, run: () => void, words = ""): Entry {
    return { id, group: "commands", text, hint: "", words, asked: false, run };
  }

  function acts(): Entry[] {
    const there = work.open;
    if (there?.state !== "active") return [];
    const inside = work.part === "owner" || work.part === "collaborator";
    return ACTS.filter(([act, , needs]) => {
      const right = RIGHTS[act];
      return (needs === "owner" ? work.part === "owner" : inside) && (right === undefined || session.may(right));
    }).map(([act, key]) => ({ ...command(act, t(key), () => (work.wanted = act), act), hint: customerName(there.customer) }));
  }

  function commands(): Entry[] {
    const serves = session.may("conversation.serve");
    const found = acts();
    if (session.may("conversation.pull")) found.push(command("pull", t("work.queue.next"), () => void work.pull(null), "pull next"));
    if (serves && session.myCard !== null) {
      for (const each of STATUSES) {
        if (session.myCard.status === each) continue;
        found.push(command(`status:${each}`, t("me.palette.status", { status: word("status", each) }), () => void setStatus(each), each));
      }
      found.push(command("slots", t("work.slots.title"), () => (work.dialog = "slots"), "slots load"));
    }
    for (const each of SCOPES) {
      const list = t(`work.scope.${each}`);
      found.push(command(`list:${each}`, t("me.palette.list", { list }), () => { work.show(each); void router.push("/work"); }, each));
    }
    for (const { to, title } of places(router.getRoutes(), session.may)) {
      found.push(command(`go:${to}`, t("me.palette.go", { page: t(title) }), () => void router.push(to), to));
    }
    found.push(command("help", t("work.help.open"), () => (work.wanted = "help"), "? keys shortcuts"));
    return found;
  }

  function conversations(): Entry[] {
    const ids = new Set([...Object.keys(session.view.conversations), ...Object.keys(work.pages.known.value)]);
    const all = [...ids]
      .map((id) => later(work.pages.known.value[id], session.view.conversations[id]))
      .filter((each): each is Conversation => each !== undefined);
    return inOrder(all).map((each) => ({
      id: `talk:${each.conversation_id}`,
      group: "conversations",
      text: customerName(each.customer),
      hint: lastLine(each, session.myId),
      words: each.customer.tags.join(" "),
      asked: each.state === "closed" || each.owner?.id !== session.myId,
      run: () => void router.push(`/work/${each.conversation_id}`),
    }));
  }

  function colleagues(act: "transfer" | "invite", targets: readonly Target[]): Entry[] {
    const key = act === "transfer" ? "me.palette.transfer_to" : "me.palette.invite";
    return targets
      .filter((each) => each.permitted)
      .map(({ agent }) => ({
        id: `${act}:${agent.account_id}`,
        group: "colleagues",
        text: t(key, { who: agent.name }),
        hint: `${word("status", agent.counted_offline ? "offline" : agent.status)} ${agent.load}/${agent.capacity}`,
        words: "",
        asked: true,
        run: () => {
          work.chosen = agent.account_id;
          work.dialog = act;
        },
      }));
  }

  return (transfers, invites) => [
    ...commands(),
    ...conversations(),
    ...colleagues("transfer", transfers),
    ...colleagues("invite", invites),
  ];
}
