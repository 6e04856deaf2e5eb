/** Which tab of this browser does what only one should do: it has the seat, the others wait for it. */

import { ref, type Ref } from "vue";

type Locks = Pick<LockManager, "request">;
const KNOWN_MS = 50;

export class Seat {
  /** whether this tab has it; null until that is known */
  readonly held: Ref<boolean | null> = ref(null);
  private leave: () => void = () => undefined;
  private waits = false;
  private over = false;

  constructor(
    private readonly name: string,
    /** the seat became this tab's */
    private readonly sat: () => void = () => undefined,
    private readonly locks: Locks = navigator.locks,
  ) {}

  /** Sit down as soon as it is free. */
  begin(): void {
    this.wait();
    // A free seat is given at once: who has none by then waits for another tab.
    setTimeout(() => (this.held.value ??= false), KNOWN_MS);
  }

  /** Sit down now; whoever has it gets up, and waits. */
  take(): void {
    if (this.held.value !== true && !this.over) void this.hold({ steal: true });
  }

  end(): void {
    this.over = true;
    this.leave();
  }

  private wait(): void {
    if (this.waits || this.over) return;
    this.waits = true;
    void this.hold({}, () => (this.waits = false));
  }

  private async hold(options: LockOptions, given: () => void = () => undefined): Promise<void> {
    try {
      await this.locks.request(this.name, options, async () => {
        given();
        if (this.over) return;
        this.held.value = true;
        this.sat();
        await new Promise<void>((leave) => (this.leave = leave));
      });
    } catch {
      this.held.value = false; // another tab took it
      this.wait();
    }
  }
}
