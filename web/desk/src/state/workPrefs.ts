/** How somebody likes the desk, in this browser; the same in all its tabs. */

import { reactive, watch } from "vue";
import { type Prefs, prefsFrom } from "./likes";

const KEY = "pointsman:work";

export const prefs = reactive<Prefs>(prefsFrom(localStorage.getItem(KEY)));
watch(prefs, (now) => localStorage.setItem(KEY, JSON.stringify(now)));
window.addEventListener("storage", (event) => {
  if (event.key === KEY) Object.assign(prefs, prefsFrom(event.newValue));
});
