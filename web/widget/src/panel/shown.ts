import type { Texts } from "../texts";
import type { Session } from "./state";

/** What every part of the panel shows. */
export interface Shown {
  session: Session;
  texts: Texts;
  language: string;
}
