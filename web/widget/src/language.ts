/** The languages of the widget, and what its button is called in them. */

export const TITLES: Record<string, [title: string, unread: string]> = {
  en: ["Chat with us", "Chat with us, unread: "],
  "zh-CN": ["联系客服", "联系客服，未读消息："],
  "zh-TW": ["聯絡客服", "聯絡客服，未讀訊息："],
};

/** The nearest to what was asked for, or to what the browser prefers. */
export function languageOf(wanted?: string | null): string {
  const asked = wanted ?? navigator.language;
  if (/^zh-(tw|hk|mo|hant)/i.test(asked)) return "zh-TW";
  return /^zh/i.test(asked) ? "zh-CN" : "en";
}
