/** The quick replies that somebody may choose from, kept as the server has them; and those that they used last. */

import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";
import { api } from "../api";
import type { QuickReply } from "./quickMatch";
import { useSession } from "./session";

const KEEP_RECENT = 30;

export const useQuickReplies = defineStore("quickReplies", () => {
  const session = useSession();
  const replies = shallowRef<QuickReply[]>([]);
  const ready = ref(false);
  const failed = ref(false);
  const key = computed(() => `pointsman:quick:${session.myId}`);
  const recent = ref<string[]>([]);
  let rev = -1;
  let reading: Promise<void> | null = null;

  async function read(): Promise<void> {
    try {
      const found = await api.ask<{ items: QuickReply[]; rev: number }>("GET", "/v1/quick-replies");
      replies.value = found.items;
      rev = found.rev;
      ready.value = true;
      failed.value = false;
    } catch {
      failed.value = true; // asked again at the next change, connection or opening of the list
    }
  }

  /** What changes while it is being read is read again. */
  async function load(): Promise<void> {
    await reading;
    reading ??= read().finally(() => (reading = null));
    await reading;
  }

  function restore(): void {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(key.value) ?? "[]");
      recent.value = Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
    } catch {
      recent.value = [];
    }
  }

  function used(id: string): void {
    recent.value = [id, ...recent.value.filter((each) => each !== id)].slice(0, KEEP_RECENT);
    localStorage.setItem(key.value, JSON.stringify(recent.value));
  }

  /** From now on they are kept up to date; changes that were missed while there was no connection too. */
  function begin(): () => void {
    restore();
    const stop = session.hear({
      "quick_replies.changed": (now) => {
        if (now.rev > rev) void load();
      },
      "rights.changed": () => void load(),
    });
    const unwatch = watch(() => session.status.phase === "live", (live) => live && void load(), { immediate: true });
    return () => {
      stop();
      unwatch();
    };
  }

  return { replies, ready, failed, recent, load, used, begin };
});
