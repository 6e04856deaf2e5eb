import type { Texts } from "../texts";
import type { Talk } from "./talk";

/** What every part of the panel shows. */
export interface Shown {
  session: Talk;
  texts: Texts;
  language: string;
}
