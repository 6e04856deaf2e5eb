/** What somebody has typed into a dialog: it outlives Esc, a slip beside the dialog, and a reload; not the tab. */

import { type Ref, ref, watch } from "vue";

const PREFIX = "pointsman:kept:";

/** `forget` when it was used, or thrown away on purpose. */
export function useKeptText(key: string): { text: Ref<string>; forget: () => void } {
  const text = ref(sessionStorage.getItem(PREFIX + key) ?? "");
  watch(
    text,
    (now) => {
      if (now === "") sessionStorage.removeItem(PREFIX + key);
      else sessionStorage.setItem(PREFIX + key, now);
    },
    { flush: "sync" },
  );
  return {
    text,
    forget: () => {
      text.value = "";
    },
  };
}
