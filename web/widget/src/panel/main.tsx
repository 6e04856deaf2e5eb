/** The panel: everything that is shown once a visitor opens the widget. It runs in the frame that the loader made. */

import { render } from "preact";
import { textsIn } from "../texts";
import type { Framed } from "../api";
import { Panel } from "./Panel";
import { Session } from "./state";
import style from "./style.css?inline";

const { host, mounted } = (window as unknown as Framed).pointsman;
const { language = "en", theme = "system", accent } = host.options;
const texts = await textsIn(language);
const sheet = new CSSStyleSheet();
sheet.replaceSync(style);
document.adoptedStyleSheets = [sheet];
const root = document.documentElement;
root.lang = language;
root.className = theme;
root.style.setProperty("--on", host.on);
if (accent) root.style.setProperty("--accent", accent);
document.title = texts("title");

const session = new Session(host);
// On the window: also when what had the focus in here is gone.
window.addEventListener("keydown", (event) => {
  // 229: some browsers say so instead of `isComposing` while a candidate is chosen.
  if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229) host.close();
});
render(<Panel session={session} texts={texts} language={language} close={host.close} />, document.body);
mounted({
  shown: (visible) => session.shown(visible),
  context: (context) => session.looksAt(context),
  user: (identityToken) => session.isStill(identityToken),
  stop: () => session.stop(),
});
