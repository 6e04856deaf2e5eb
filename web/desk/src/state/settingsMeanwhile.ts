/** Somebody else was faster: what they changed, what is changed here, and what becomes of both. Nothing typed is lost. */

import { type Ref, shallowRef } from "vue";
import { type Faster, Problem } from "../api";
import { merged } from "./settingsMerge";

export interface Found {
  who: Faster | null;
  /** from what both were made; what holds now; what holds with the changes of this page in it */
  base: object;
  theirs: object;
  both: object;
}

export interface Meanwhile {
  found: Readonly<Ref<Found | null>>;
  takeTheirs(): void;
  keepMine(): void;
}

/** `read`: what holds now. `take`: show that instead. `keep`: go on with `both`, made from `theirs`. */
export function useMeanwhile<T extends object>(given: {
  read(): Promise<T>;
  base(): T;
  mine(): T;
  take(theirs: T): void;
  keep(theirs: T, both: T): void;
}): Meanwhile & { look(problem: Problem): Promise<Problem | null>; forget(): void } {
  const found = shallowRef<(Found & { theirs: T; both: T }) | null>(null);

  /** Of a refusal: null when it is told here. */
  async function look(problem: Problem): Promise<Problem | null> {
    if (problem.reason !== "stale_rev") return problem;
    try {
      const theirs = await given.read();
      const base = given.base();
      found.value = { who: problem.meanwhile, base, theirs, both: merged(base, given.mine(), theirs) };
      return null;
    } catch (error) {
      return error instanceof Problem ? error : problem;
    }
  }
  function end(how: (now: Found & { theirs: T; both: T }) => void): void {
    const now = found.value;
    found.value = null;
    if (now !== null) how(now);
  }
  return {
    found,
    look,
    forget: () => (found.value = null),
    takeTheirs: () => end(({ theirs }) => given.take(theirs)),
    keepMine: () => end(({ theirs, both }) => given.keep(theirs, both)),
  };
}
