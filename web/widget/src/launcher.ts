/**
 * What of the widget stands in the shop's page: one element whose shadow holds the button and the panel's frame. The
 * page's styles reach neither (`:host` with `!important` outranks whatever the page says of all elements).
 */

import { emptyDocument } from "./trusted";

const STYLE = `
:host{all:initial!important}
button,iframe{position:fixed;right:var(--right);left:var(--left);bottom:20px;border:0;z-index:2147483000}
button{width:56px;height:56px;padding:0;border-radius:28px;cursor:pointer;display:grid;place-items:center;
background:var(--accent);color:var(--on);box-shadow:0 4px 16px #0004}
button:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #1a2233}
button[aria-busy=true] svg{animation:busy .9s ease-in-out infinite alternate}
svg{width:26px;height:26px;fill:currentColor}
b{position:absolute;top:-4px;right:-4px;min-width:20px;height:20px;border-radius:10px;background:#c62828;color:#fff;
font:600 12px/20px system-ui,sans-serif;padding:0 5px;box-sizing:border-box;text-align:center}
b:empty{display:none}
iframe{width:min(380px,calc(100vw - 40px));height:min(640px,calc(100dvh - 40px));border-radius:14px;
box-shadow:0 12px 40px #0006;color-scheme:light dark;animation:come .16s ease-out}
[hidden]{display:none}
@keyframes come{from{opacity:0;transform:translateY(12px)}}
@keyframes busy{to{opacity:.35}}
@media (max-width:520px),(max-height:430px){iframe{inset:var(--top,0) 0 auto;width:100%;height:var(--height,100dvh);
border-radius:0;box-shadow:none}}
@media (prefers-reduced-motion:reduce){button svg,iframe{animation:none!important}}
@media print{button,iframe{display:none}}`;
export const ACCENT = "#2456d6";
const ICON = "M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z";
const SVG = "http://www.w3.org/2000/svg";

export interface Look {
  title: string;
  /** what the button is called while so many answers are unread */
  unread: (count: number) => string;
  accent: string;
  theme: "light" | "dark" | undefined;
  /** the corner: at the bottom, on this side */
  side: "left" | "right" | undefined;
  /** whether there is a button */
  button: boolean;
}

/** The widget's place in the page; `frame` is for the panel, and empty. */
export class Launcher {
  readonly frame = document.createElement("iframe");
  /** white or black: what can be read on the accent */
  on = "#fff";
  private readonly element = document.createElement("div");
  private readonly button = document.createElement("button");
  private readonly badge = document.createElement("b");
  private readonly root: ShadowRoot;
  private opener: HTMLElement | null = null;

  constructor(
    private look: Look,
    open: () => void,
  ) {
    const { element, button, frame, badge } = this;
    element.id = "pointsman";
    this.root = element.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.root.adoptedStyleSheets = [sheet];
    button.type = "button";
    button.ariaHasPopup = "dialog";
    button.onclick = open;
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.ariaHidden = badge.ariaHidden = "true";
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", ICON);
    icon.append(path);
    button.append(icon, badge);
    frame.hidden = true;
    emptyDocument(frame);
    this.root.append(button, frame);
    document.body.append(element);
    this.dress(look);
    window.visualViewport?.addEventListener("resize", this.fit);
    window.visualViewport?.addEventListener("scroll", this.fit);
  }

  dress(look: Look): void {
    const { element, button, frame } = this;
    const style = element.style;
    this.look = look;
    button.ariaLabel = frame.title = look.title;
    button.hidden = !look.button || !frame.hidden;
    frame.style.colorScheme = look.theme ?? "";
    const left = look.side === "left";
    style.setProperty("--left", left ? "20px" : "auto");
    style.setProperty("--right", left ? "auto" : "20px");
    style.setProperty("--accent", look.accent);
    this.on = readableOn(getComputedStyle(button).backgroundColor);
    style.setProperty("--on", this.on);
  }

  busy(yes: boolean): void {
    this.button.ariaBusy = String(yes);
  }

  unread(count: number): void {
    this.badge.textContent = count > 99 ? "99+" : count > 0 ? String(count) : "";
    this.button.ariaLabel = count > 0 ? this.look.unread(count) : this.look.title;
  }

  /** The panel covers the button; what had the focus gets it back at the end. */
  show(): void {
    const before = document.activeElement;
    this.opener = before instanceof HTMLElement && before !== this.element ? before : null;
    this.button.hidden = true;
    this.frame.hidden = false;
  }

  hide(): void {
    const focused = this.root.activeElement === this.frame;
    this.button.hidden = !this.look.button;
    this.frame.hidden = true;
    if (focused) (this.look.button ? this.button : this.opener)?.focus();
  }

  /** Out of sight, while the panel says goodbye. */
  retire(): void {
    this.element.id = "";
    this.button.hidden = this.frame.hidden = true;
  }

  remove(): void {
    window.visualViewport?.removeEventListener("resize", this.fit);
    window.visualViewport?.removeEventListener("scroll", this.fit);
    this.element.remove();
  }

  /** A phone's keyboard lies over the page: what is left of the screen is the panel's. */
  private readonly fit = (): void => {
    const seen = window.visualViewport;
    if (!seen || seen.scale > 1.01) return; // somebody looks at the page through a glass
    this.element.style.setProperty("--height", `${seen.height}px`);
    this.element.style.setProperty("--top", `${seen.offsetTop}px`);
  };
}

/** By relative luminance (WCAG): white needs a ground darker than 0.18. */
function readableOn(ground: string): string {
  const [r = 0, g = 0, b = 0] = (ground.match(/[\d.]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
}
