/** The signed-in person and their live connection: what every part of the desk reads. */

import { Client, type Message, PATIENCE, Refused, type ServerEvents, type Status, type View, reduce } from "@pointsman/shared";
import { defineStore } from "pinia";
import { computed, shallowRef, triggerRef } from "vue";
import { api } from "../api";

/** Who serves must not wait half a minute for a network that is back. */
const PATIENCE_HERE = { ...PATIENCE, longestMs: 8000 };

/** What is done about which event. */
export type Hearing = { [Name in keyof ServerEvents]?: (params: ServerEvents[Name]) => void };

export const useSession = defineStore("session", () => {
  const view = shallowRef<View>(reduce.EMPTY);
  const status = shallowRef<Status>({ phase: "connecting", retryAt: null, ended: null });
  const client = shallowRef<Client | null>(null);
  /** the logs change in place; this says that one did */
  const logs = shallowRef(0);
  const hearing = new Set<Hearing>();
  const reading = new Set<(message: Message) => void>();

  const me = computed(() => view.value.me);
  const myId = computed(() => view.value.me?.person.id ?? "");
  const myCard = computed(() => view.value.agents[myId.value] ?? null);

  /** How far the person's grant of a right goes; null: not at all. */
  function reach(right: string): "own" | "groups" | "all" | null {
    return (view.value.rights[right] as "own" | "groups" | "all" | undefined) ?? null;
  }

  const may = (right: string): boolean => reach(right) !== null;

  function begin(): void {
    if (client.value !== null) return;
    const url = `${location.origin.replace(/^http/, "ws")}/ws`;
    const made = new Client(url, () => api.ticket(), { name: "pointsman-desk", version: "1", device: "web" }, PATIENCE_HERE);
    let asked = false;
    made.listen({
      view: () => {
        if (asked) return; // many events in one frame of the screen are shown once
        asked = true;
        queueMicrotask(() => {
          asked = false;
          view.value = made.view;
          logs.value += 1;
          triggerRef(logs);
        });
      },
      status: (now) => {
        status.value = now;
      },
      event: (name, params) => {
        for (const each of hearing) each[name]?.(params);
      },
      message: (message) => {
        for (const read of reading) read(message);
      },
    });
    client.value = made;
    made.start();
  }

  async function end(): Promise<void> {
    await client.value?.stop(true);
    client.value = null;
    view.value = reduce.EMPTY;
    await api.signOut();
  }

  /** Be told of these events, until the returned function is called. */
  function hear(heard: Hearing): () => void {
    hearing.add(heard);
    return () => hearing.delete(heard);
  }

  function read(heard: (message: Message) => void): () => void {
    reading.add(heard);
    return () => reading.delete(heard);
  }

  const ask: Client["ask"] = (method, params) => {
    if (client.value === null) throw new Refused(1050, "not_connected", "There is no connection.", true);
    return client.value.ask(method, params);
  };

  return { view, status, client, logs, me, myId, myCard, reach, may, begin, end, hear, read, ask };
});
