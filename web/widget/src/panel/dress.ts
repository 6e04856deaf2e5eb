import type { BootOptions } from "../api";
import style from "./style.css?inline";

const sheet = new CSSStyleSheet();
sheet.replaceSync(style);

/** How the panel looks in this document. `on`: what can be read on the accent. */
export function dress({ language = "en", theme, accent }: BootOptions, on: string, title: string): void {
  document.adoptedStyleSheets = [sheet];
  const root = document.documentElement;
  root.lang = language;
  root.className = theme ?? "system";
  root.style.setProperty("--on", on);
  if (accent) root.style.setProperty("--accent", accent);
  document.title = title;
}

/** Escape closes: on the window, also when what had the focus in here is gone. */
export function closesByKey(close: () => void): void {
  window.addEventListener("keydown", (event) => {
    // 229: some browsers say so instead of `isComposing` while a candidate is chosen.
    if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229) close();
  });
}
