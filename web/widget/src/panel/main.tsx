/** The panel: everything that is shown once a visitor opens the widget. It runs in the frame that the loader made. */

import { render } from "preact";
import { textsIn } from "../texts";
import type { Framed } from "../api";
import { closesByKey, dress } from "./dress";
import { Panel } from "./Panel";
import { Session } from "./state";

const { host, mounted } = (window as unknown as Framed).pointsman;
const { language = "en", greeting } = host.options;
const texts = await textsIn(language, greeting);
dress(host.options, host.on, texts("title"));
const session = new Session(host);
closesByKey(host.close);
render(<Panel session={session} texts={texts} language={language} close={host.close} />, document.body);
mounted({
  shown: (visible) => session.shown(visible),
  context: (context) => session.looksAt(context),
  user: (identityToken) => session.isStill(identityToken),
  stop: () => session.stop(),
});
