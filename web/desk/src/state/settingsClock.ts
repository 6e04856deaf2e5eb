/** Instants as they are shown: in the desk's language, in this browser's time zone. */

import { language } from "../texts";

const SHAPES = {
  short: { dateStyle: "medium", timeStyle: "short" },
  exact: { dateStyle: "short", timeStyle: "medium" },
} as const;

export function shownAt(instant: string, shape: keyof typeof SHAPES = "short"): string {
  return new Intl.DateTimeFormat(language.value, SHAPES[shape]).format(new Date(instant));
}
