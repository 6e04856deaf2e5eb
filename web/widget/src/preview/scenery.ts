/** What stands around the widget in its preview: the outlines of a page, and its own button where the widget has none. */

import type { PreviewLook } from "@pointsman/shared";

const STYLE = `
:root{color-scheme:light dark;--ground:light-dark(#f4f6fa,#11151c);--shape:light-dark(#e3e8f0,#1f2733)}
:root[data-theme=light]{color-scheme:light}
:root[data-theme=dark]{color-scheme:dark}
body{margin:0;min-height:100vh;background:var(--ground);font:15px/1.4 system-ui,sans-serif}
i{display:block;margin:24px;border-radius:8px;background:var(--shape)}
i:nth-of-type(1){height:22px;width:30%}
i:nth-of-type(2){height:150px}
i:nth-of-type(3),i:nth-of-type(4){height:120px;width:calc(50% - 36px);float:left;margin-right:0}
button{margin:0 24px;padding:8px 16px;border:1px solid currentColor;border-radius:6px;background:none;font:inherit;
color:light-dark(#1a2233,#eef1f6);cursor:pointer}
button[hidden]{display:none}`;
const OWN: Record<string, string> = {
  en: "A button of the page: contact us",
  "zh-CN": "网页自有按钮：联系我们",
  "zh-TW": "網頁自有按鈕：聯絡我們",
};

let button: HTMLButtonElement | null = null;

export function scenery(language: string, look: PreviewLook, open: () => void): void {
  document.documentElement.dataset["theme"] = look.theme;
  button ??= built(open);
  button.textContent = OWN[language] ?? "";
  button.hidden = look.launcher;
}

function built(open: () => void): HTMLButtonElement {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets = [sheet];
  const own = document.createElement("button");
  own.type = "button";
  own.onclick = open;
  const [head, ...rest] = Array.from({ length: 4 }, () => document.createElement("i")) as [HTMLElement, ...HTMLElement[]];
  document.body.append(head, own, ...rest);
  return own;
}
