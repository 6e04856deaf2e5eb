/** The words of the widget; only the one language that is shown is loaded. */

import type en from "./en";

export type Key = keyof typeof en;
export type Texts = (key: Key, facts?: Record<string, string | number>) => string;

const LANGUAGES: Record<string, () => Promise<{ default: Record<Key, string> }>> = {
  en: () => import("./en"),
  "zh-CN": () => import("./zh-CN"),
  "zh-TW": () => import("./zh-TW"),
};

export async function textsIn(language: string): Promise<Texts> {
  const table = (await (LANGUAGES[language] ?? (LANGUAGES["en"] as () => Promise<never>))()).default;
  return (key, facts = {}) => table[key].replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
}
