/** Whether the window has room for one part of a page at a time, as on a phone. The same width stands in the style sheets. */

import { onScopeDispose, type Ref, ref } from "vue";

export function useNarrow(): Readonly<Ref<boolean>> {
  const query = window.matchMedia("(max-width: 720px)");
  const narrow = ref(query.matches);
  const heard = (event: MediaQueryListEvent): void => {
    narrow.value = event.matches;
  };
  query.addEventListener("change", heard);
  onScopeDispose(() => query.removeEventListener("change", heard));
  return narrow;
}
