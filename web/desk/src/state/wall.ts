/** The wall as the server sends it, and what is opened on it. One subscription per page, renewed with the connection. */

import { type AgentCard, Refused, type Wall } from "@pointsman/shared";
import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";
import { Problem, api } from "../api";
import { useSession } from "./session";
import { ofGroup } from "./wallRows";

export const useWall = defineStore("wall", () => {
  const session = useSession();
  const wall = shallowRef<Wall | null>(null);
  const failure = shallowRef<unknown>(null);
  /** the server's clock, moving each second */
  const now = ref(Date.now());
  const groups = shallowRef<Record<string, string>>({});
  /** the group whose lists are shown; empty: all */
  const group = ref("");
  const shown = computed(() => (wall.value === null ? null : ofGroup(wall.value, group.value)));
  /** the conversation in the drawer, the one explained, the agent whose settings are open */
  const opened = ref<string | null>(null);
  const explained = ref<string | null>(null);
  const agentId = ref<string | null>(null);
  const agent = computed<AgentCard | null>(
    () => wall.value?.agents.find((each) => each.account_id === agentId.value) ?? null,
  );

  let offset: number | null = null;
  let stops: (() => void)[] = [];

  function heard(next: Wall, fresh: boolean): void {
    if (fresh) offset = Math.max(offset ?? Number.NEGATIVE_INFINITY, Date.parse(next.at) - Date.now());
    if (wall.value !== null && next.at < wall.value.at) return;
    wall.value = next;
    failure.value = null;
  }

  async function subscribe(): Promise<void> {
    try {
      heard((await session.ask("monitor.subscribe", {})).wall, false);
    } catch (error) {
      if (!(error instanceof Refused) || !error.retryable) failure.value = error;
    }
  }

  async function names(): Promise<void> {
    try {
      const list = await api.ask<{ items: { id: string; name: string }[] }>("GET", "/v1/groups");
      groups.value = Object.fromEntries(list.items.map((each) => [each.id, each.name]));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  function begin(): void {
    if (stops.length > 0) return;
    const clock = setInterval(() => (now.value = Date.now() + (offset ?? 0)), 1000);
    stops = [
      session.hear({ "monitor.changed": (changed) => heard(changed.wall, true) }),
      watch(
        () => session.status.phase,
        (phase) => {
          if (phase === "live") void subscribe();
        },
        { immediate: true },
      ),
      () => clearInterval(clock),
    ];
    void names();
  }

  function end(): void {
    for (const stop of stops) stop();
    stops = [];
    opened.value = explained.value = agentId.value = null;
    if (session.status.phase === "live") void session.ask("monitor.unsubscribe", {}).catch(() => undefined);
  }

  async function acknowledge(alarmId: string): Promise<void> {
    const { alarm } = await session.ask("alarm.acknowledge", { alarm_id: alarmId });
    if (wall.value === null) return;
    const alarms = wall.value.alarms.map((each) => (each.alarm_id === alarmId ? alarm : each));
    wall.value = { ...wall.value, alarms };
  }

  return { wall, shown, group, failure, now, groups, opened, explained, agentId, agent, begin, end, subscribe, acknowledge };
});
