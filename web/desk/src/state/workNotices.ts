/** What just happened, in a line that goes away by itself; some of it can be undone. */

import { reactive } from "vue";

export interface Notice {
  id: number;
  tone: "plain" | "good" | "bad";
  text: string;
  /** offered with it */
  act: { text: string; do: () => void } | null;
}

const SHOWN_MS = 6000;

export class Notices {
  readonly shown = reactive<Notice[]>([]);
  private next = 1;

  say(text: string, tone: Notice["tone"] = "plain", act: Notice["act"] = null, forMs = SHOWN_MS): void {
    const id = this.next++;
    this.shown.push({ id, tone, text, act });
    if (this.shown.length > 4) this.shown.shift();
    setTimeout(() => this.drop(id), forMs);
  }

  drop(id: number): void {
    const at = this.shown.findIndex((each) => each.id === id);
    if (at >= 0) this.shown.splice(at, 1);
  }
}
