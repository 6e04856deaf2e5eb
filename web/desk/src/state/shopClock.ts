/** The shop's clock: instants as they are said in the shop, in its time zone whatever the browser's is. */

import { computed, readonly, ref } from "vue";
import { api, Problem } from "../api";
import { language } from "../texts";
import { offsetMs } from "./zones";

const SHAPES = {
  short: { dateStyle: "medium", timeStyle: "short" },
  exact: { dateStyle: "short", timeStyle: "medium" },
  day: { dateStyle: "medium" },
  clock: { timeStyle: "medium" },
} as const;

const zone = ref(Intl.DateTimeFormat().resolvedOptions().timeZone);

export const shopZone = readonly(zone);

/** The routing settings say it, and whoever has just changed it knows it first. */
export function setShopZone(name: string): void {
  zone.value = name;
}

/** Until it is known, and where it cannot be had, the browser's own stands in. */
export async function loadShopZone(): Promise<void> {
  try {
    zone.value = (await api.ask<{ shop: { timezone: string } }>("GET", "/v1/me")).shop.timezone;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

export function shownAt(instant: string | number, shape: keyof typeof SHAPES = "short"): string {
  return new Intl.DateTimeFormat(language.value, { ...SHAPES[shape], timeZone: zone.value }).format(new Date(instant));
}

/** `Asia/Shanghai, UTC+8` */
export const zoneWords = computed(() => {
  const minutes = Math.round(offsetMs(zone.value, Date.now()) / 60_000);
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${zone.value}, UTC${minutes < 0 ? "−" : "+"}${hours}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
});
