/** Parties, messages and times in the reader's language. */

import type { Conversation, CustomerCard, Message, Party } from "@pointsman/shared";
import { shopZone } from "../../state/shopClock";
import { dayIn } from "../../state/zones";
import { i18n, language } from "../../texts";
import { facts } from "../../state/workThread";

const { t, te: known } = i18n.global;

export function customerName(card: CustomerCard): string {
  return card.name || `${t("work.who.anonymous")} ${card.customer_id.slice(-4)}`;
}

export function partyName(who: Party | null): string {
  if (who === null) return t("work.who.nobody");
  return who.name || t(`work.who.${who.kind}`);
}

/** A code in words; as it is when there are none. */
export function word(area: string, code: string): string {
  const key = `words.${area}.${code}`;
  return known(key) ? t(key) : code;
}

export function systemLine(message: Message): string {
  const body = message.body;
  if (body?.kind !== "system") return "";
  const { reason, ...named } = facts(body.data);
  let line: string;
  if ((body.event === "assigned" || body.event === "reopened") && named.who) line = t(`words.change.${body.event}`, named);
  else if (body.event === "rated" && typeof body.data["rating"] === "number") line = t("work.event.rated", { n: body.data["rating"] });
  else line = known(`words.event.${body.event}`) ? t(`words.event.${body.event}`, named) : body.event;
  return reason ? t("work.event.because", { line, reason }) : line;
}

/** What a message says, in one line. */
export function oneLine(message: Message): string {
  const body = message.body;
  if (body === null) return t("work.kind.recalled");
  switch (body.kind) {
    case "text":
      return body.text;
    case "note":
      return t("work.kind.note", { text: body.text });
    case "image":
      return t("work.kind.image");
    case "file":
      return t("work.kind.file", { name: body.name });
    case "order_card":
      return t("work.kind.order", { id: body.order_id });
    case "system":
      return systemLine(message);
  }
}

/** Whom a returning customer spoke to, and when; empty for others. */
export function returningLine(card: CustomerCard, me: string): string {
  if (!card.returning) return "";
  const { agent, at } = card.returning;
  return t("work.list.returned", { who: agent.id === me ? t("work.who.me") : partyName(agent), at: whenOf(at) });
}

export function lastLine(conversation: Conversation, me: string): string {
  const last = conversation.last_message;
  if (last === null) return "";
  if (last.body?.kind === "system" || last.sender.kind === "customer") return oneLine(last);
  const who = last.sender.id === me ? t("work.who.me") : partyName(last.sender);
  return t("work.list.said", { who, text: oneLine(last) });
}

export function timeOf(at: string): string {
  return new Intl.DateTimeFormat(language.value, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: shopZone.value }).format(new Date(at));
}

/** Today only the time, else the date too. */
export function whenOf(at: string): string {
  const date = new Date(at);
  const today = dayIn(shopZone.value, date.getTime()) === dayIn(shopZone.value, Date.now());
  if (today) return timeOf(at);
  return new Intl.DateTimeFormat(language.value, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: shopZone.value }).format(date);
}

export function dayOf(at: string): string {
  const date = new Date(at);
  const [today, then] = [Date.now(), date.getTime()].map((each) => Date.parse(dayIn(shopZone.value, each))) as [number, number];
  const days = Math.round((today - then) / 86_400_000);
  if (days === 0) return t("work.thread.today");
  if (days === 1) return t("work.thread.yesterday");
  return new Intl.DateTimeFormat(language.value, { year: "numeric", month: "long", day: "numeric", weekday: "long", timeZone: shopZone.value }).format(date);
}
