/** The desk's languages. Each area has its words in a file of its own, in all languages side by side. */

import en from "element-plus/es/locale/lang/en";
import zhCn from "element-plus/es/locale/lang/zh-cn";
import zhTw from "element-plus/es/locale/lang/zh-tw";
import { ref } from "vue";
import { createI18n } from "vue-i18n";
import type { Texts, Words } from "./area";
import { first } from "./areas/first";
import { me } from "./areas/me";
import { refusals } from "./areas/refusals";
import { shell } from "./areas/shell";
import { wall } from "./areas/wall";
import { words } from "./areas/words";
import { work } from "./areas/work";

export const LANGUAGES = { "zh-CN": "简体中文", en: "English", "zh-TW": "繁體中文" } as const;
export type Language = keyof typeof LANGUAGES;
const KEY = "pointsman:language";
const AREAS = { shell, first, words, refusals, work, me, wall };
const ELEMENTS = { en, "zh-CN": zhCn, "zh-TW": zhTw };

function table(language: Language): Texts {
  return Object.fromEntries(Object.entries<Words>(AREAS).map(([name, area]) => [name, area[language]]));
}

function preferred(): Language {
  const asked = localStorage.getItem(KEY) ?? navigator.language;
  if (/^zh-(tw|hk|mo|hant)/i.test(asked)) return "zh-TW";
  return /^zh/i.test(asked) ? "zh-CN" : "en";
}

export const language = ref<Language>(preferred());
export const elementLocale = ref(ELEMENTS[language.value]);
export const i18n = createI18n({
  legacy: false,
  locale: language.value,
  messages: { "zh-CN": table("zh-CN"), en: table("en"), "zh-TW": table("zh-TW") },
});

/** The words of a part of the desk that is loaded when it is needed. */
export function learn(name: string, words: Words): void {
  for (const each of Object.keys(LANGUAGES) as Language[]) i18n.global.mergeLocaleMessage(each, { [name]: words[each] });
}

export function useLanguage(chosen: Language): void {
  i18n.global.locale.value = chosen;
  language.value = chosen;
  elementLocale.value = ELEMENTS[chosen];
  document.documentElement.lang = chosen;
  localStorage.setItem(KEY, chosen);
}

document.documentElement.lang = language.value;
