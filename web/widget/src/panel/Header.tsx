import { useEffect, useState } from "preact/hooks";
import type { Key } from "../texts";
import type { Shown } from "./shown";

const RECENT_MS = 3_600_000;

/** Who serves, that somebody will, or that it is over. */
export function Header({ session, texts, close }: Shown & { close: () => void }) {
  const conversation = session.conversation.value;
  const over = session.over.value;
  const owner = over ? null : (conversation?.owner ?? null);
  // Who comes back on another day is welcome, and not told of an old end.
  const ended = over && Date.now() - Date.parse(conversation?.closed_at ?? new Date().toISOString()) < RECENT_MS;
  const said =
    owner === null
      ? texts(ended ? "over" : "title")
      : owner.kind === "bot"
        ? texts("bot", { name: owner.name })
        : texts(conversation?.answers_later ? "later" : "served", { name: owner.name });
  return (
    <div class="top">
      {owner !== null && (
        <span class="face" aria-hidden="true">
          {[...owner.name][0] ?? ""}
        </span>
      )}
      <h1>{said}</h1>
      {owner?.kind === "bot" && (
        <button type="button" class="plain" onClick={() => void session.human()}>
          {texts("human")}
        </button>
      )}
      <button type="button" class="icon" aria-label={texts("close")} onClick={close}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M6 6l12 12M18 6L6 18" />
        </svg>
      </button>
    </div>
  );
}

/** Only when something is wrong with the connection: what it means for the person. */
export function Connection({ session, texts }: Shown) {
  const status = session.status.value;
  const [, tick] = useState(0);
  useEffect(() => {
    if (status.phase !== "waiting") return;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [status]);
  if (status.phase === "live" || (status.phase === "connecting" && status.ended === null)) return null;
  const seconds = status.retryAt === null ? 0 : Math.max(0, Math.ceil((status.retryAt - Date.now()) / 1000));
  return (
    <div class="banner" role="status">
      {status.phase === "stopped" &&
        texts(session.refusal === "anonymous_not_allowed" ? "sign_in_first" : "stopped")}
      {status.phase === "connecting" && texts("connecting")}
      {status.phase === "waiting" && (
        <>
          {texts(seconds > 1 ? "retry_in" : "offline", { s: seconds })}{" "}
          <button type="button" class="plain" onClick={() => session.retryNow()}>
            {texts("retry_now")}
          </button>
        </>
      )}
    </div>
  );
}

const WHY: Record<string, Key> = {
  all_full: "queue_all_full",
  nobody_online: "queue_nobody_online",
  out_of_hours: "queue_out_of_hours",
};

/** The place in the queue, in words, and the way out. */
export function Queue({ session, texts }: Shown) {
  const conversation = session.conversation.value;
  const [sure, ask] = useState(false);
  const queue = conversation?.state === "queued" ? conversation.queue : null;
  const since = queue?.waiting_since ?? null;
  const [waited, count] = useState(0);
  useEffect(() => {
    if (since === null) return;
    const look = (): void => count(Math.floor((Date.now() - Date.parse(since)) / 60_000));
    look();
    const timer = setInterval(look, 10_000);
    return () => clearInterval(timer);
  }, [since]);
  if (!queue) return null;
  const estimate = queue.estimate_s ?? null;
  return (
    <div class="queue" role="status">
      <p>
        {texts(WHY[queue.reason] ?? "queue_all_full", { place: queue.place, length: queue.length })}
        {estimate !== null && ` ${texts("estimate", { m: Math.ceil(estimate / 60) })}`}
        {waited > 0 && ` ${texts("waited", { m: waited })}`}
      </p>
      {sure ? (
        <p>
          {texts("leave_sure")}
          <span class="choice">
            <button type="button" class="plain" onClick={() => void session.leaveQueue()}>
              {texts("yes")}
            </button>
            <button type="button" class="plain" onClick={() => ask(false)}>
              {texts("no")}
            </button>
          </span>
        </p>
      ) : (
        <button type="button" class="plain" onClick={() => ask(true)}>
          {texts("leave_queue")}
        </button>
      )}
    </div>
  );
}
