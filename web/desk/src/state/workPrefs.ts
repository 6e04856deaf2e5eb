/** How somebody likes the workbench, in this browser. */

import { reactive, watch } from "vue";

const KEY = "pointsman:work";

export interface Prefs {
  /** ask before a conversation is ended */
  confirmEnd: boolean;
  /** a notice of the system when a customer writes and the page is not looked at */
  desktop: boolean;
  /** Enter sends; else Ctrl+Enter does */
  enterSends: boolean;
}

const DEFAULTS: Prefs = { confirmEnd: true, desktop: false, enterSends: true };

function restored(): Prefs {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Prefs>) };
  } catch {
    return DEFAULTS;
  }
}

export const prefs = reactive<Prefs>(restored());
watch(prefs, (now) => localStorage.setItem(KEY, JSON.stringify(now)));
