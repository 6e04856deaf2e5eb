import type { Message } from "@pointsman/shared";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Texts, whyIn } from "../texts";
import type { Shown } from "./shown";
import { Quoted, quoteOf } from "./Quote";
import { type Draft, isTheirs, type Talk } from "./talk";

const NEAR = 80;
const EVENTS = new Set(["queued", "assigned", "handed_off", "ended", "closed", "reopened"]);

/** The conversation. New lines are read out; who has scrolled up is not torn down. */
export function Log({ session, texts, language }: Shown) {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const before = useRef<{ height: number; first: string | undefined }>({ height: 0, first: undefined });
  const hidden = session.hidden.value;
  const messages = session.messages.value.filter((each) => !hidden.has(each.message_id));
  const drafts = session.drafts.value;
  const visible = session.visible.value;
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const first = messages[0]?.message_id;
    if (first !== before.current.first && !atEnd.current) {
      element.scrollTop += element.scrollHeight - before.current.height; // older ones came above
    } else if (atEnd.current) {
      element.scrollTop = element.scrollHeight;
    }
    before.current = { height: element.scrollHeight, first };
  }, [session.messages.value, hidden, drafts, visible, session.typist.value]);
  const leads = session.leads.value;
  useEffect(() => {
    if (leads === null) return;
    session.leads.value = null;
    atEnd.current = false;
    const line = list.current?.querySelector(`#m${CSS.escape(leads)}`);
    line?.scrollIntoView({ block: "center" });
    line?.classList.add("lit");
    setTimeout(() => line?.classList.remove("lit"), 2000);
  }, [leads]);
  // Pictures that come, a rating that is asked for, a keyboard: who reads the end goes on reading the end.
  useEffect(() => {
    const element = list.current as HTMLDivElement;
    const watcher = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    watcher.observe(element);
    watcher.observe(element.firstElementChild as Element);
    return () => watcher.disconnect();
  }, []);
  const now = session.conversation.value;
  const lastMine = messages.findLast(
    (each) => each.sender.kind === "customer" && each.conversation_id === now?.conversation_id,
  );
  // Delivered: somebody has it before them. Who answers later, or nobody yet, has not.
  const reached = now !== null && now.owner !== null && !now.answers_later ? "delivered" : "sent";
  return (
    <div
      ref={list}
      class="log"
      role="log"
      aria-live="polite"
      tabIndex={0}
      onScroll={(event) => {
        const element = event.currentTarget;
        atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
      }}
    >
      <div class="said">
        {session.more && (
          <button type="button" class="plain earlier" onClick={() => void session.earlier()}>
            {texts("earlier")}
          </button>
        )}
        {messages.length === 0 && drafts.length === 0 && (
          <div class="welcome">
            <p>{texts("welcome")}</p>
            <p>{texts("welcome_hint")}</p>
          </div>
        )}
        {messages.map((message, index) => (
          <Entry
            key={message.message_id}
            message={message}
            previous={messages[index - 1]}
            session={session}
            texts={texts}
            language={language}
            mark={message === lastMine ? texts(message.seq <= (now?.read_by_staff ?? 0) ? "read" : reached) : ""}
            news={newsOf(messages, index)}
          />
        ))}
        {drafts.map((draft) => (
          <Pending key={draft.id} draft={draft} session={session} texts={texts} />
        ))}
        {session.typist.value !== null && <p class="typing">{texts("typing", { name: session.typist.value })}</p>}
      </div>
    </div>
  );
}

type News = "moved" | "joined" | null;

/** What a line says beside itself: that another colleague serves from here on, or that one has joined in. */
function newsOf(messages: readonly Message[], index: number): News {
  const { body, sender, conversation_id } = messages[index] as Message;
  const assigned = body?.kind === "system" && body.event === "assigned";
  if (!assigned && sender.kind !== "agent") return null;
  const before = messages.slice(0, index).filter((each) => each.conversation_id === conversation_id);
  const owners = before.flatMap(ownerIn);
  if (assigned) return owners.length > 0 && owners.at(-1) !== ownerIn(messages[index] as Message)[0] ? "moved" : null;
  const known = owners.includes(sender.id ?? "") || before.some((each) => each.sender.id === sender.id);
  return owners.length > 0 && !known ? "joined" : null;
}

function ownerIn({ body }: Message): string[] {
  if (body?.kind !== "system" || body.event !== "assigned") return [];
  const owner = body.data["owner"] as { id?: string } | undefined;
  return owner?.id ? [owner.id] : [];
}

interface EntryProps extends Shown {
  message: Message;
  news: News;
  previous: Message | undefined;
  mark: string;
}

function Entry({ message, previous, session, texts, language, mark, news }: EntryProps) {
  const day = dayOf(message.created_at, language);
  const newDay = previous === undefined || dayOf(previous.created_at, language) !== day;
  const today = day === dayOf(new Date().toISOString(), language);
  const body = message.body;
  if (body?.kind === "system") {
    if (!EVENTS.has(body.event)) return null;
    const owner = body.data["owner"] as { name?: string } | undefined;
    const event = news === "moved" ? "event_moved" : (`event_${body.event}` as "event_closed");
    return <p class="event">{texts(event, { name: owner?.name || texts("team") })}</p>;
  }
  const mine = message.sender.kind === "customer";
  const open = session.conversation.value;
  const quotable = body !== null && !session.fresh.value && message.conversation_id === open?.conversation_id;
  /** A long press quotes, where there is nothing to hover with. */
  const held = (event: MouseEvent): void => {
    if (!quotable || !matchMedia("(hover: none)").matches) return;
    event.preventDefault();
    session.quoting.value = quoteOf(message);
  };
  /** Towards the middle: the time stays under its bubble while this is not seen. */
  const quote = quotable && (
    <button type="button" class="plain reply" onClick={() => (session.quoting.value = quoteOf(message))}>
      {texts("quote")}
    </button>
  );
  const named = isTheirs(message) && previous?.sender.id !== message.sender.id;
  return (
    <>
      {newDay && <p class="day">{today ? texts("today") : day}</p>}
      {news === "joined" && <p class="event">{texts("event_joined", { name: message.sender.name })}</p>}
      <div id={`m${message.message_id}`} class={mine ? "line mine" : "line"} onContextMenu={held}>
        {named && <span class="who">{message.sender.name || texts("team")}</span>}
        <div class={body?.kind === "image" ? "bubble picture" : "bubble"}>
          <Body message={message} session={session} texts={texts} />
        </div>
        <span class="meta">
          {mine && quote}
          <time dateTime={message.created_at}>{timeOf(message.created_at, language)}</time>
          {mark && (
            <>
              {" · "}
              <span class="mark">{mark}</span>
            </>
          )}
          {!mine && quote}
        </span>
      </div>
    </>
  );
}

function Body({ message, session, texts }: { message: Message; session: Talk; texts: Texts }) {
  const body = message.body;
  if (body === null) return <em>{texts("recalled")}</em>;
  switch (body.kind) {
    case "text":
      return (
        <>
          {body.quote && <Quoted quote={body.quote} session={session} texts={texts} />}
          {body.text}
        </>
      );
    case "image":
    case "file":
      return <Attachment fileId={body.file_id} name={body.name} picture={body.kind === "image"} session={session} />;
    case "order_card":
      return (
        <div class="card">
          <strong>{texts("order", { id: body.order_id })}</strong>
          {body.title && <div>{body.title}</div>}
          {body.amount && <div>{body.amount}</div>}
        </div>
      );
    default:
      return null;
  }
}

interface AttachmentProps {
  fileId: string;
  name: string;
  picture: boolean;
  session: Talk;
}

/** Links are short-lived: one is asked for to show the small picture, and another one when it is opened. */
function Attachment({ fileId, name, picture, session }: AttachmentProps) {
  const [thumbnail, show] = useState<string | null>(null);
  useEffect(() => {
    if (picture) session.link(fileId).then((link) => show(link.thumbnail), () => undefined);
  }, [fileId]);
  return (
    <button
      type="button"
      class="file"
      onClick={() => {
        const tab = window.open("", "_blank"); // at once: later the browser would call it a pop-up
        session.link(fileId).then(
          (link) => tab?.location.replace(link.url),
          () => tab?.close(),
        );
      }}
    >
      {thumbnail ? <img src={thumbnail} alt={name} /> : <span>{name || fileId}</span>}
    </button>
  );
}

function Pending({ draft, session, texts }: { draft: Draft; session: Talk; texts: Texts }) {
  const body = draft.body;
  const text = body.kind === "text" ? body.text : body.kind === "order_card" ? body.order_id : body.name;
  return (
    <div class="line mine pending">
      <div class="bubble">
        {body.kind === "text" && body.quote && <Quoted quote={body.quote} session={session} texts={texts} />}
        {text}
      </div>
      <span class="meta">
        {draft.failed === null ? (
          texts("sending")
        ) : (
          <>
            <span role="alert">
              {texts("failed")}: {whyIn(texts, draft.failed)}
            </span>{" "}
            <button type="button" class="plain" onClick={() => session.again(draft.id)}>
              {texts("again")}
            </button>{" "}
            <button type="button" class="plain" onClick={() => session.discard(draft.id)}>
              {texts("discard")}
            </button>
          </>
        )}
      </span>
    </div>
  );
}

function dayOf(at: string, language: string): string {
  return new Date(at).toLocaleDateString(language, { dateStyle: "medium" });
}

function timeOf(at: string, language: string): string {
  return new Date(at).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
}
