/** The panel: everything that is shown once a visitor opens the widget. */

import { render } from "preact";
import { textsIn } from "../texts";
import type { Host, Mount, PanelHandle } from "../api";
import { Panel } from "./Panel";
import { Session } from "./state";
import style from "./style.css?inline";

export const mount: Mount = (host: Host): PanelHandle => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  host.root.adoptedStyleSheets = [...host.root.adoptedStyleSheets, sheet];
  const place = document.createElement("div");
  place.className = host.options.theme ?? "system";
  place.lang = host.options.language ?? "en";
  host.root.append(place);
  const session = new Session(host);
  void textsIn(place.lang).then((texts) => {
    render(<Panel session={session} texts={texts} language={place.lang} close={host.close} />, place);
  });
  return {
    shown: (visible) => session.shown(visible),
    context: (context) => session.looksAt(context),
    stop: () => {
      void session.stop();
      render(null, place);
      place.remove();
    },
  };
};
