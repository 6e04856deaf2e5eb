/** Refusals and log entries in words of the reader's language. */

import { type Message, type Party, Refused } from "@pointsman/shared";
import { Problem } from "../api";
import { i18n } from "../texts";
import { whyOf } from "./refusals";

const global = i18n.global;
const say = (key: string, named: Record<string, unknown> = {}): string => global.t(key, named);

/** Why something was refused: in the wall's own words when it has some. */
export function why(error: unknown): string {
  if (!(error instanceof Refused) && !(error instanceof Problem)) throw error;
  const key = `wall.refused.${error.reason}`;
  return global.te(key, "en") ? say(key) : whyOf(error);
}

/** A pool or an order state by its name; its key when it has none. */
export function stateName(state: string): string {
  const key = `words.order_state.${state}`;
  return global.te(key, "en") ? say(key) : state;
}

/** A code of the protocol's `Reason`s. */
export function reasonName(reason: string): string {
  const key = `words.reason.${reason}`;
  return global.te(key, "en") ? say(key) : reason;
}

export interface LineWords {
  kind: "said" | "note" | "system";
  text: string;
  file: string | null;
  image: boolean;
}

/** One entry of a log as a line of text. */
export function lineWords(message: Message): LineWords {
  const said = (text: string, file: string | null = null, image = false): LineWords => ({
    kind: message.internal ? "note" : "said",
    text,
    file,
    image,
  });
  const body = message.body;
  if (body === null) return said(say("wall.line.recalled"));
  switch (body.kind) {
    case "text":
      return said(body.text);
    case "image":
      return said(say("wall.line.image", { name: body.name }), body.file_id, true);
    case "file":
      return said(say("wall.line.file", { name: body.name }), body.file_id);
    case "order_card":
      return said(say("wall.line.order", { id: body.order_id, title: body.title, state: stateName(body.state) }));
    case "note":
      return { kind: "note", text: body.text, file: null, image: false };
    case "system":
      return { kind: "system", text: happened(body.event, body.data), file: null, image: false };
  }
}

function happened(event: string, data: Record<string, unknown>): string {
  const facts = { who: named(data["who"]), by: named(data["by"]), rule: named(data["rule"]), text: data["text"] ?? "" };
  const line = say(`words.event.${event}`, facts);
  const reason = data["reason"];
  return typeof reason === "string" && reason !== "" ? `${line} (${reason})` : line;
}

function named(who: unknown): string {
  if (Array.isArray(who)) return who.map(named).join(", ");
  if (who !== null && typeof who === "object") return (who as Partial<Party>).name ?? "";
  return typeof who === "string" ? who : "";
}
