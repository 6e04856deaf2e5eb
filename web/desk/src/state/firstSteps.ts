/** What a shop that was just founded still needs before a customer can be served. */

import { computed, onMounted, ref } from "vue";
import { api, Problem } from "../api";
import { useSession } from "./session";
import { usePeople } from "./settingsPeople";

export type Step = "agents" | "groups" | "widget";

export interface Need {
  step: Step;
  to: string;
  done: boolean;
  optional: boolean;
}

/** Asked where a page is empty, by people who may do something about it; `open` is false when nothing is left to do. */
export function useFirstSteps() {
  const session = useSession();
  const people = usePeople();
  const origins = ref<string[] | null>(null);
  const manages = computed(() => session.may("account.manage") && session.may("settings.view"));
  const hasAgents = computed(() => people.accounts.value.some((each) => each.roles.includes("agent") && each.disabled_at === null));
  const steps = computed<Need[]>(() => [
    { step: "agents", to: "/settings/accounts", done: hasAgents.value, optional: false },
    { step: "widget", to: "/settings/widget", done: (origins.value?.length ?? 0) > 0, optional: false },
    { step: "groups", to: "/settings/groups", done: people.groups.value.length > 0, optional: true },
  ]);
  const open = computed(() => origins.value !== null && steps.value.some((each) => !each.done && !each.optional));

  onMounted(async () => {
    if (!manages.value) return;
    try {
      const [found] = await Promise.all([api.ask<{ widget: string[] }>("GET", "/v1/settings/origins"), people.load()]);
      origins.value = found.widget;
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // the page's own question fails the same way, and says so
    }
  });
  return { steps, open };
}
