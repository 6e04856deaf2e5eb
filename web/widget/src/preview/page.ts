/**
 * A page of the shop as it could be, in the settings: the real button, and the real panel in its frame, with a made-up
 * conversation. It is told what to show by the page around it, and asks nobody for anything: its policy lets it connect
 * nowhere.
 */

import type { PreviewAsks, PreviewLook, PreviewShow } from "@pointsman/shared";
import { languageOf, TITLES } from "../language";
import { Launcher, type Look } from "../launcher";
import { scriptOf } from "../trusted";
import type { PreviewPanel, Prepared } from "./prepared";
import { scenery } from "./scenery";

declare const __PANEL__: string;
const UNREAD = 2;

let launcher: Launcher | null = null;
let panel: Promise<PreviewPanel> | null = null;
let shown: PreviewShow | null = null;
/** somebody opened it here: the focus goes in, as it does for visitors */
let entering = false;

const asks = (preview: PreviewAsks["preview"]): void => parent.postMessage({ preview }, location.origin);

function ask(preview: "open" | "close"): void {
  entering = preview === "open";
  asks(preview);
}

function dressed(look: PreviewLook): Look {
  const [title, unread] = TITLES[languageOf(look.language || null)] as [string, string];
  return {
    title,
    unread: (count) => unread + count,
    accent: look.accent,
    theme: look.theme || undefined,
    side: look.position,
    button: look.launcher,
  };
}

function show(told: PreviewShow): void {
  const before = shown;
  shown = told;
  const { look, situation } = told;
  const language = languageOf(look.language || null);
  document.documentElement.lang = language;
  scenery(language, look, () => ask("open"));
  launcher ??= new Launcher(dressed(look), () => ask("open"));
  const at = launcher;
  at.dress(dressed(look));
  if (situation === "closed") {
    at.unread(UNREAD);
    if (before?.situation !== "closed") at.hide();
    void panel?.then((handle) => handle.left());
    return;
  }
  at.unread(0);
  panel ??= mounted(at);
  const enters = entering;
  entering = false;
  void panel.then((handle) => {
    if (shown !== told) return;
    at.show();
    handle.show(told, language, at.on, enters);
  });
}

/** The panel's script in the frame's document, as the loader does it. */
function mounted(at: Launcher): Promise<PreviewPanel> {
  return new Promise((resolve) => {
    const begin = (): void => {
      const { contentDocument: inside, contentWindow: realm } = at.frame;
      if (!inside || !realm || inside.readyState !== "complete" || inside.URL === "about:blank") {
        at.frame.addEventListener("load", begin, { once: true });
        return;
      }
      (realm as unknown as Prepared).preview = { close: () => ask("close"), mounted: resolve };
      inside.head.append(scriptOf(inside, new URL(__PANEL__, location.href).href, ""));
    };
    begin();
  });
}

addEventListener("message", (event: MessageEvent<Partial<PreviewShow> | null>) => {
  if (event.source !== parent || event.origin !== location.origin) return;
  if (event.data?.preview === "show") show(event.data as PreviewShow);
});
asks("ready");
