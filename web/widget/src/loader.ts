/**
 * The part of the widget that every page of a shop loads: a button, and the queue of calls. The panel comes when it is
 * opened, or when the visitor has a conversation to go on with; it runs in a frame of its own.
 *
 * Calls: `pointsman("boot" | "open" | "close" | "setUser" | "setContext" | "on" | "reset" | "shutdown", ...)`.
 */

import type { BootOptions, Context, Framed, Handler, Host, PanelHandle, WidgetEvents } from "./api";
import { languageOf, TITLES } from "./language";
import { ACCENT, Launcher } from "./launcher";
import { forget, keyOf } from "./session";
import { emptyDocument, scriptOf } from "./trusted";

declare const __PANEL__: string;

type Call = [name: string, ...rest: unknown[]];
type Stub = ((...call: Call) => void) & { q?: ArrayLike<unknown>[] };

const page = window as unknown as { pointsman?: Stub };
const script = document.currentScript as HTMLScriptElement | null;
const nonce = script?.nonce ?? "";
const base = new URL(".", script?.src ?? location.href);
const server = new URL("..", base).href.replace(/\/$/, "");

let options: BootOptions | null = null;
let place: Launcher | null = null;
let panel: Promise<PanelHandle> | null = null;
let visible = false;
let unread = 0;
let identityToken: string | null = null;
let context: Context = {};
const handlers = new Map<string, Set<Handler>>();

function emit<Name extends keyof WidgetEvents>(name: Name, value: WidgetEvents[Name]): void {
  for (const handler of handlers.get(name) ?? []) {
    try {
      handler(value);
    } catch (error) {
      reportError(error); // the page's own
    }
  }
}

function boot(given: BootOptions): void {
  if (options !== null || !given?.shop) return;
  options = { ...given };
  identityToken = given.identityToken ?? identityToken;
  if (document.body) settle();
  else document.addEventListener("DOMContentLoaded", settle, { once: true });
}

function settle(): void {
  if (options === null || place !== null) return;
  const [title, answers] = TITLES[languageOf(options.language)] as [string, string];
  place = new Launcher(
    {
      title,
      unread: (count) => answers + count,
      accent: options.accent ?? ACCENT,
      theme: options.theme,
      side: options.position,
      button: options.launcher !== false,
    },
    open,
  );
  queueMicrotask(() => emit("ready", undefined)); // whoever asks for it in the same breath hears it
  if (visible) open();
  else if (remembered(options.shop)) load(place).catch(() => undefined); // somebody may be answering
}

function remembered(shop: string): boolean {
  try {
    return localStorage.getItem(keyOf(shop, "session")) !== null;
  } catch {
    return false;
  }
}

function load(at: Launcher): Promise<PanelHandle> {
  panel ??= mounted(at).catch((error: Error) => {
    panel = null;
    console.error(`pointsman: ${error.message}`);
    emit("error", { reason: error.message });
    throw error;
  });
  return panel;
}

/** The panel's script in the frame's document: a realm of its own, in the page's origin. */
function mounted(at: Launcher): Promise<PanelHandle> {
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      const { contentDocument: inside, contentWindow: realm } = at.frame;
      if (!inside || !realm || inside.readyState !== "complete" || inside.URL === "about:blank") {
        at.frame.addEventListener("load", begin, { once: true });
        return;
      }
      const told: Host = {
        server,
        options: { ...(options as BootOptions), language: languageOf(options?.language) },
        identityToken,
        context,
        on: at.on,
        close,
        unread: (count) => {
          if (count === unread) return;
          unread = count;
          at.unread(count);
          emit("unread", count);
        },
        emit,
      };
      const module = scriptOf(inside, new URL(__PANEL__, base).href, nonce);
      const failed = (): void => {
        emptyDocument(at.frame); // a document never asks again for a script that did not come
        const why = `The chat could not be loaded from ${server}. See whether the page's policy allows it.`;
        at.frame.addEventListener("load", () => reject(new Error(why)), { once: true });
      };
      module.onerror = failed;
      realm.addEventListener("error", failed, { once: true });
      (realm as unknown as Framed).pointsman = {
        host: told,
        mounted: (handle) => {
          realm.removeEventListener("error", failed);
          resolve(handle);
        },
      };
      inside.head.append(module);
    };
    begin();
  });
}

function open(): void {
  visible = true;
  const at = place;
  if (at === null) return; // as soon as there is a page
  at.busy(true);
  load(at)
    .then(
      (handle) => {
        if (!visible || at !== place) return;
        at.show();
        handle.shown(true);
        emit("opened", undefined);
      },
      () => {
        visible = false; // told as `error`; the button is still there to try again
      },
    )
    .finally(() => at.busy(false));
}

function close(): void {
  if (!visible) return;
  visible = false;
  place?.hide();
  void panel?.then((handle) => handle.shown(false));
  emit("closed", undefined);
}

/** Ends the panel, with its frame once it has said goodbye. */
function stop(): void {
  const [left, at] = [panel, place];
  at?.retire();
  if (left === null) at?.remove();
  else void left.then((handle) => handle.stop()).catch(() => undefined).finally(() => at?.remove());
  panel = place = options = identityToken = null;
  visible = false;
  unread = 0;
}

const CALLS: Record<string, (...rest: never[]) => void> = {
  boot,
  open,
  close,
  async setUser(token: string) {
    if (identityToken === token) return;
    identityToken = token;
    const [now, before] = [panel, options];
    const kept = now === null || (await now.then((handle) => handle.user(token)).catch(() => true));
    if (kept || before === null || panel !== now) return;
    const shown = visible;
    stop();
    boot({ ...before, identityToken: token });
    if (shown) open();
  },
  setContext(given: Context) {
    context = { ...given };
    void panel?.then((handle) => handle.context(context));
  },
  on(name: string, handler: Handler) {
    handlers.set(name, (handlers.get(name) ?? new Set()).add(handler));
  },
  reset() {
    const before = options;
    stop();
    context = {};
    if (before === null) return;
    forget(before.shop);
    const { identityToken: _gone, ...rest } = before;
    boot(rest);
  },
  shutdown: stop,
};

const call = (...[name, ...rest]: Call): void => {
  const known = CALLS[name] as ((...rest: unknown[]) => void) | undefined;
  if (known === undefined) console.warn(`pointsman: there is no call "${name}"`);
  else known(...rest);
};
const waiting = page.pointsman?.q ?? [];
page.pointsman = call;
for (const each of Array.from(waiting)) call(...(Array.from(each) as Call));
