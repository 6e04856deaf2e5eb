/** Calls the person: by a sound, by a notice of the system, as they like it. Of several tabs the last used one does. */

import type { Conversation, Message, ServerEvents } from "@pointsman/shared";
import { watch } from "vue";
import { router } from "../router";
import { i18n } from "../texts";
import { sounds } from "./callSounds";
import { type Call, loudness } from "./likes";
import { useSession } from "./session";
import { takesPart } from "./workLists";
import { prefs } from "./workPrefs";
import { Seat } from "./workSeat";

const { t } = i18n.global;
const OWN_MS = 2000;
const LOST_MS = 5000;

let seat: Seat | null = null;
let ownUntil = 0;

/** What comes now, one asked for oneself: no call for it. */
export function hush(): void {
  ownUntil = Date.now() + OWN_MS;
}

function onScreen(conversation: string | null): boolean {
  return conversation !== null && router.currentRoute.value.path === `/work/${conversation}`;
}

/** Call for something; `conversation`: which one it is about. */
export function call(what: Call, title: string, text: string, conversation: string | null = null): void {
  if (seat?.held.value !== true) return;
  const looking = document.visibilityState === "visible" && document.hasFocus();
  const { sound, desktop } = loudness(prefs.calls[what], { looking, there: onScreen(conversation) });
  if (sound) sounds.play(what, prefs.volume);
  if (!desktop || !("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body: prefs.showText ? text : "", tag: conversation ?? what });
  shown.onclick = () => {
    window.focus();
    shown.close();
    if (conversation !== null) void router.push(`/work/${conversation}`);
  };
}

/** For as long as the person is signed in; the returned function ends it. */
export function answerCalls(): () => void {
  const session = useSession();
  const mine = new Seat(`pointsman:calls:${session.myId}`);
  seat = mine;
  mine.begin();
  const used = (): void => {
    sounds.wake();
    mine.take();
  };
  const focused = (): void => mine.take();
  window.addEventListener("pointerdown", used);
  window.addEventListener("keydown", used);
  window.addEventListener("focus", focused);

  const name = (id: string): string => session.view.conversations[id]?.customer.name || t("work.who.anonymous");

  function owned(): string[] {
    const all: Conversation[] = Object.values(session.view.conversations);
    return all.filter((each) => each.owner?.id === session.myId && each.state === "active").map((each) => each.conversation_id);
  }

  function said(message: Message): void {
    if (message.sender.kind !== "customer") return;
    const there = session.view.conversations[message.conversation_id];
    if (there === undefined) return;
    const text = message.body?.kind === "text" ? message.body.text : t("work.kind.something");
    if (there.owner?.id === session.myId) call("message", name(message.conversation_id), text, message.conversation_id);
    else if (takesPart(there, session.myId)) call("shared", name(message.conversation_id), text, message.conversation_id);
  }

  function invited({ invitation }: ServerEvents["invitation.received"]): void {
    if (invitation.conversation_id in session.view.invitations) return;
    call("invited", t("me.call.invited"), `${invitation.by.name}: ${invitation.reason}`, invitation.conversation_id);
  }

  function mentioned({ mention }: ServerEvents["mention.changed"]): void {
    if (mention.read_at !== null || mention.message_id in session.view.mentions) return;
    call("mentioned", t("work.mention.text", { who: mention.by.name }), mention.text, mention.conversation_id);
  }

  let lost: ReturnType<typeof setTimeout> | undefined;
  const stops = [
    session.hear({ "invitation.received": invited, "mention.changed": mentioned }),
    session.read(said),
    watch(owned, (now, before) => {
      const fresh = now.filter((id) => !before.includes(id));
      if (fresh.length === 0 || Date.now() < ownUntil) return;
      const names = fresh.map((id) => name(id)).join(", ");
      call("assigned", t("me.call.assigned"), names, fresh.length === 1 ? (fresh[0] as string) : null);
    }),
    watch(
      () => session.status.phase,
      (phase) => {
        if (phase === "live") {
          clearTimeout(lost);
          lost = undefined;
        } else if (phase === "waiting") {
          lost ??= setTimeout(() => call("connection", t("me.call.connection"), t("me.call.connection_lost")), LOST_MS);
        }
      },
    ),
  ];
  return () => {
    clearTimeout(lost);
    window.removeEventListener("pointerdown", used);
    window.removeEventListener("keydown", used);
    window.removeEventListener("focus", focused);
    for (const stop of stops) stop();
    mine.end();
    seat = null;
  };
}
