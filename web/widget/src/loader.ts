/**
 * The part of the widget that every page of a shop loads: a button, and the queue of calls. The panel comes when it is
 * opened, or when the visitor has a conversation to go on with.
 *
 * Calls: `pointsman("boot" | "open" | "close" | "setUser" | "setContext" | "on" | "reset" | "shutdown", ...)`.
 */

import type { BootOptions, Context, Handler, Host, Mount, PanelHandle, WidgetEvents } from "./api";
import { forget, keyOf } from "./session";

declare const __PANEL__: string;

type Call = [name: string, ...rest: unknown[]];
type Stub = ((...call: Call) => void) & { q?: ArrayLike<unknown>[] };

const page = window as unknown as { pointsman?: Stub };
const script = document.currentScript as HTMLScriptElement | null;
const base = new URL(".", script?.src ?? location.href);
const server = new URL("..", base).href.replace(/\/$/, "");
const TITLES: Record<string, string> = { en: "Chat with us", "zh-CN": "联系客服", "zh-TW": "聯絡客服" };

const BUTTON = `
:host{all:initial}
button{position:fixed;right:20px;bottom:20px;width:56px;height:56px;border:0;border-radius:28px;cursor:pointer;
background:var(--accent);color:#fff;box-shadow:0 4px 16px #0004;z-index:2147483000;display:grid;place-items:center}
button:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px var(--accent)}
button[hidden]{display:none}
svg{width:26px;height:26px;fill:currentColor}
b{position:absolute;top:-4px;right:-4px;min-width:20px;height:20px;border-radius:10px;background:#c62828;
font:600 12px/20px system-ui,sans-serif;padding:0 4px;box-sizing:border-box}
b:empty{display:none}
@media print{button{display:none}}`;

let options: BootOptions | null = null;
let root: ShadowRoot | null = null;
let button: HTMLButtonElement | null = null;
let panel: Promise<PanelHandle> | null = null;
let visible = false;
let identityToken: string | null = null;
let context: Context = {};
const handlers = new Map<string, Set<Handler>>();

function language(): string {
  const asked = options?.language ?? navigator.language;
  if (/^zh-(tw|hk|mo|hant)/i.test(asked)) return "zh-TW";
  return /^zh/i.test(asked) ? "zh-CN" : "en";
}

function emit<Name extends keyof WidgetEvents>(name: Name, value: WidgetEvents[Name]): void {
  for (const handler of handlers.get(name) ?? []) handler(value);
}

function boot(given: BootOptions): void {
  if (options !== null || !given?.shop) return;
  options = { ...given };
  identityToken = given.identityToken ?? null;
  const element = document.createElement("div");
  element.id = "pointsman";
  root = element.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(BUTTON);
  root.adoptedStyleSheets = [sheet];
  element.style.setProperty("--accent", given.accent ?? "#2456d6");
  button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", TITLES[language()] ?? "");
  button.setAttribute("aria-haspopup", "dialog");
  button.hidden = given.launcher === false;
  button.innerHTML =
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z"/></svg><b aria-hidden="true"></b>';
  button.onclick = () => open();
  root.append(button);
  document.body.append(element);
  if (remembered(given.shop)) load().catch(() => undefined); // somebody may be answering
  emit("ready", undefined);
}

function remembered(shop: string): boolean {
  try {
    return localStorage.getItem(keyOf(shop, "session")) !== null;
  } catch {
    return false;
  }
}

function load(): Promise<PanelHandle> {
  panel ??= import(/* @vite-ignore */ new URL(__PANEL__, base).href)
    .then((module: { mount: Mount }) =>
      module.mount({
        server,
        options: { ...(options as BootOptions), language: language() },
        identityToken,
        context,
        root: root as ShadowRoot,
        close,
        unread: (count) => {
          const badge = button?.querySelector("b");
          if (badge) badge.textContent = count > 0 ? String(Math.min(count, 99)) : "";
          emit("unread", count);
        },
        emit,
      } satisfies Host),
    )
    .catch((error: unknown) => {
      panel = null;
      emit("error", { reason: String(error) });
      throw error;
    });
  return panel;
}

function open(): void {
  if (options === null) return;
  visible = true;
  load().then(
    (handle) => {
      if (!visible) return;
      if (button) button.hidden = true;
      handle.shown(true);
      emit("opened", undefined);
    },
    () => undefined, // told as `error`; the button is still there to try again
  );
}

function close(): void {
  visible = false;
  if (button) {
    button.hidden = options?.launcher === false;
    button.focus();
  }
  void panel?.then((handle) => handle.shown(false));
  emit("closed", undefined);
}

function stop(forgetting: boolean): void {
  const before = options;
  const place = root?.host;
  void panel?.then((handle) => handle.stop());
  place?.remove();
  panel = root = button = options = null;
  visible = false;
  identityToken = null;
  if (forgetting && before) {
    context = {};
    forget(before.shop);
    const { identityToken: _gone, ...rest } = before;
    boot(rest);
  }
}

const CALLS: Record<string, (...rest: never[]) => void> = {
  boot,
  open,
  close,
  setUser(token: string) {
    if (identityToken === token) return;
    identityToken = token;
    if (panel !== null && options) {
      const again = { ...options, identityToken: token };
      const shown = visible;
      stop(false);
      boot(again);
      if (shown) open();
    }
  },
  setContext(given: Context) {
    context = { ...given };
    void panel?.then((handle) => handle.context(context));
  },
  on(name: string, handler: Handler) {
    handlers.set(name, (handlers.get(name) ?? new Set()).add(handler));
  },
  reset: () => stop(true),
  shutdown: () => stop(false),
};

const call = (...[name, ...rest]: Call): void => {
  const known = CALLS[name] as ((...rest: unknown[]) => void) | undefined;
  if (known === undefined) console.warn(`pointsman: there is no call "${name}"`);
  else known(...rest);
};
const waiting = page.pointsman?.q ?? [];
page.pointsman = call;
for (const each of Array.from(waiting)) call(...(Array.from(each) as Call));
