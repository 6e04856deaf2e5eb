/** One page of settings: read, changed, saved; its refusals at the fields. */

import { computed, inject, type InjectionKey, onMounted, provide, type Ref, ref, shallowRef } from "vue";
import { Problem } from "../api";
import { faultsAt, ownFaultsAt } from "./settingsFaults";
import { useGuard } from "./settingsGuard";
import { useMeanwhile } from "./settingsMeanwhile";

/** What a part of a form asks of the form that it is in. */
export interface Frame {
  faults(place: string): string[];
  own(place: string): string[];
  problem: Readonly<Ref<Problem | null>>;
}

/** how long "saved" is shown */
const SAID_MS = 4000;
const FRAME: InjectionKey<Frame> = Symbol("settings form");
const NONE: Frame = { faults: () => [], own: () => [], problem: shallowRef(null) };

export const useFrame = (): Frame => inject(FRAME, NONE);

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, "unknown", String(error));
}

export const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** `read` and `write` speak with the server; `write` gives what holds now. The draft is plain JSON. */
export function useForm<T extends object>(options: { read(): Promise<T>; write(draft: T): Promise<T> }) {
  const saved = shallowRef<T | null>(null);
  const draft = ref<T | null>(null) as Ref<T | null>;
  const busy = ref(false);
  const loading = ref(true);
  const failed = shallowRef<Problem | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const justSaved = ref(false);
  const dirty = computed(
    () => draft.value !== null && JSON.stringify(draft.value) !== JSON.stringify(saved.value),
  );
  useGuard(() => dirty.value);

  const meanwhile = useMeanwhile<T>({
    read: () => options.read(),
    base: () => saved.value as T,
    mine: () => draft.value as T,
    take,
    keep(theirs, both) {
      saved.value = copyOf(theirs);
      draft.value = copyOf(both);
    },
  });

  function take(value: T): void {
    saved.value = copyOf(value);
    draft.value = copyOf(value);
    problem.value = null;
    meanwhile.forget();
  }

  async function load(): Promise<void> {
    loading.value = true;
    failed.value = null;
    try {
      take(await options.read());
    } catch (error) {
      failed.value = asProblem(error);
    } finally {
      loading.value = false;
    }
  }

  async function save(): Promise<boolean> {
    if (draft.value === null || busy.value) return false;
    busy.value = true;
    problem.value = null;
    justSaved.value = false;
    try {
      take(await options.write(copyOf(draft.value)));
      justSaved.value = true;
      setTimeout(() => (justSaved.value = false), SAID_MS);
      return true;
    } catch (error) {
      problem.value = await meanwhile.look(asProblem(error));
      return false;
    } finally {
      busy.value = false;
    }
  }

  function reset(): void {
    if (saved.value !== null) take(saved.value);
  }

  const faults = (place: string): string[] => faultsAt(problem.value?.errors ?? [], place);
  provideFrame(problem);
  onMounted(load);
  return { saved, draft, busy, loading, failed, problem, justSaved, dirty, meanwhile, load, save, reset, faults, take };
}

export type Form = ReturnType<typeof useForm<object>>;

/** Something asked of the server once: a deed with its own refusal. `told`: null when somebody else tells of it. */
export function useDeed(told: (problem: Problem) => Promise<Problem | null> | Problem = (problem) => problem) {
  /** how often something was asked with success: whoever shows its traces looks again */
  const count = ref(0);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  async function run<R>(deed: () => Promise<R>): Promise<R | undefined> {
    busy.value = true;
    problem.value = null;
    try {
      const answer = await deed();
      count.value += 1;
      return answer;
    } catch (error) {
      problem.value = await told(asProblem(error));
      return undefined;
    } finally {
      busy.value = false;
    }
  }
  return { busy, problem, run, count };
}

/** The same frame for a form that is not loaded but filled in: a dialog. */
export function provideFrame(problem: Ref<Problem | null>): void {
  const errors = () => problem.value?.errors ?? [];
  provide(FRAME, { faults: (place) => faultsAt(errors(), place), own: (place) => ownFaultsAt(errors(), place), problem });
}
