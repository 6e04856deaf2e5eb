import type { PreviewShow } from "@pointsman/shared";

/** What the preview's panel can be told. */
export interface PreviewPanel {
  /** `language`: one that there is; `on`: what can be read on the accent; `enters`: somebody came in, and has the focus */
  show(told: PreviewShow, language: string, on: string, enters: boolean): void;
  /** it is out of sight */
  left(): void;
}

/** What the preview's page leaves in the frame for the panel's script. */
export interface Prepared {
  preview: { close(): void; mounted(panel: PreviewPanel): void };
}
