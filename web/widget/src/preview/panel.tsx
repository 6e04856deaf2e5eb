/** The panel in the preview: the same parts as the visitor's, over a conversation that is made up. */

import { render } from "preact";
import { textsIn } from "../texts";
import { closesByKey, dress } from "../panel/dress";
import { Panel } from "../panel/Panel";
import type { Prepared } from "./prepared";
import { Sample } from "./sample";

const { close, mounted } = (window as unknown as Prepared).preview;
let sample: Sample | null = null;
let scene = "";
let round = 0;

closesByKey(close);
mounted({
  show({ look, situation, reasons }, language, on, enters) {
    const options = { shop: "", language, accent: look.accent, ...(look.theme && { theme: look.theme }) };
    const now = ++round;
    void textsIn(language, look.greeting.trim()).then((texts) => {
      if (now !== round) return; // meanwhile something else was chosen
      dress(options, on, texts("title"));
      const wanted = `${situation} ${language}`;
      if (sample === null || scene !== wanted) sample = new Sample(situation, language);
      scene = wanted;
      if (enters) sample.visible.value = true;
      sample.choices.value = { ...sample.choices.value, rating_reasons: reasons };
      render(<Panel key={scene} session={sample} texts={texts} language={language} close={close} />, document.body);
    });
  },
  left() {
    if (sample !== null) sample.visible.value = false;
  },
});
