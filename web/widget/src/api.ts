/** What a shop's page and the widget say to each other. */

export interface BootOptions {
  /** the shop's short name at this server */
  shop: string;
  /** `en`, `zh-CN` or `zh-TW`; absent: as the browser prefers */
  language?: string;
  /** `light`, `dark`, or as the system prefers */
  theme?: "light" | "dark";
  /** the colour of launcher and header, as CSS writes it */
  accent?: string;
  /** the lower corner of button and panel; absent: the right one */
  position?: "left" | "right";
  /** what visitors read who have written nothing yet; absent: the widget's own words */
  greeting?: string;
  /** hides the launcher: the page has a button of its own that calls `open` */
  launcher?: boolean;
  /** signed by the shop's backend; see `setUser` */
  identityToken?: string;
}

/** What the customer looks at; it goes along with what they write next. */
export interface Context {
  order_id?: string;
  product?: { title: string; price?: string };
  order?: { order_id: string; title?: string; state?: string; amount?: string };
  page?: string;
}

export interface WidgetEvents {
  ready: undefined;
  opened: undefined;
  closed: undefined;
  unread: number;
  message: { from: string; text: string };
  error: { reason: string };
}

export type Handler = (value: unknown) => void;

/** What the loader gives the panel. */
export interface Host {
  server: string;
  options: BootOptions;
  identityToken: string | null;
  context: Context;
  /** white or black: what can be read on the accent */
  on: string;
  close(): void;
  unread(count: number): void;
  emit<Name extends keyof WidgetEvents>(name: Name, value: WidgetEvents[Name]): void;
}

export interface PanelHandle {
  shown(visible: boolean): void;
  context(context: Context): void;
  /** a new word of the shop's on who is here; false: that is somebody else, for whom all begins anew */
  user(identityToken: string): boolean;
  stop(): Promise<void>;
}

/** What the loader leaves in the frame for the panel's script. */
export interface Framed {
  pointsman: { host: Host; mounted: (handle: PanelHandle) => void };
}
