/** What of the settings is changed and not saved: asked before anything would throw it away. */

import { computed, onUnmounted, reactive, watch } from "vue";

const changed = reactive(new Set<symbol>());

export const anyUnsaved = computed(() => changed.size > 0);

export function forgetUnsaved(): void {
  changed.clear();
}

/** While `dirty()` is true, leaving asks first. To be called in a component's setup. */
export function useGuard(dirty: () => boolean): void {
  const key = Symbol();
  watch(dirty, (now) => (now ? changed.add(key) : changed.delete(key)), { immediate: true });
  onUnmounted(() => changed.delete(key));
}
