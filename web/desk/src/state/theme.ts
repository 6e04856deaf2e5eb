/** Light, dark, or as the system prefers; remembered in this browser. */

import { computed, ref, watchEffect } from "vue";

export type Theme = "system" | "light" | "dark";
const KEY = "pointsman:theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const dark = ref(system.matches);
system.addEventListener("change", (event) => (dark.value = event.matches));

export const theme = ref<Theme>((localStorage.getItem(KEY) as Theme | null) ?? "system");

/** What is shown now, whoever chose it. */
export const isDark = computed(() => theme.value === "dark" || (theme.value === "system" && dark.value));

export function useTheme(): void {
  watchEffect(() => {
    document.documentElement.classList.toggle("dark", isDark.value);
    localStorage.setItem(KEY, theme.value);
  });
}
