/** The words of the widget; only the one language that is shown is loaded. */

import type { PersonReason } from "@pointsman/shared";
import type en from "./en";

export type Key = keyof typeof en;
export type Texts = (key: Key, facts?: Record<string, string | number>) => string;

const LANGUAGES: Record<string, () => Promise<{ default: Record<Key, string> }>> = {
  en: () => import("./en"),
  "zh-CN": () => import("./zh-CN"),
  "zh-TW": () => import("./zh-TW"),
};

/** `greeting`: the shop's own, shown as it is written. */
export async function textsIn(language: string, greeting?: string): Promise<Texts> {
  const table = (await (LANGUAGES[language] ?? (LANGUAGES["en"] as () => Promise<never>))()).default;
  return (key, facts = {}) =>
    key === "welcome" && greeting ? greeting : table[key].replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
}

/** What a visitor can be refused for and should be told in particular. */
const TOLD = [
  "too_fast",
  "file_too_large",
  "type_not_allowed",
  "not_what_it_says",
  "too_many_files",
  "storage_down",
  "not_waiting",
  "rated_already",
  "conversation_closed",
] as const satisfies readonly PersonReason[];

/** Why something was refused, in the visitor's language: never the server's own sentence. */
export function whyIn(texts: Texts, reason: string): string {
  const told = TOLD.find((each) => each === reason);
  return texts(told === undefined ? "refused" : `refused_${told}`);
}
