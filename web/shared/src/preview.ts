/** What the settings' page and the preview of the widget in it say to each other, from window to window. */

import type { RatingReason } from "./protocol";

/** What a visitor may meet. */
export const SITUATIONS = ["welcome", "served", "waiting", "later", "offline", "ended", "closed"] as const;
export type Situation = (typeof SITUATIONS)[number];

/** The widget's options that can be seen; empty: as the browser, or the widget, has it. */
export interface PreviewLook {
  language: string;
  theme: "" | "light" | "dark";
  accent: string;
  position: "left" | "right";
  greeting: string;
  launcher: boolean;
}

/** From the settings: what to show now. */
export interface PreviewShow {
  preview: "show";
  look: PreviewLook;
  situation: Situation;
  /** those that the shop offers with a rating */
  reasons: RatingReason[];
}

/** From the preview: it can show something; somebody pressed its button, or closed its panel. */
export interface PreviewAsks {
  preview: "ready" | "open" | "close";
}
