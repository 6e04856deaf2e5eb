/** Say the newest at most every `everyMs`, the last one included. */
export class Pace<T> {
  private at = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private latest: T | null = null;

  constructor(
    private readonly everyMs: number,
    private readonly say: (value: T) => void,
  ) {}

  give(value: T): void {
    this.latest = value;
    if (this.timer !== null) return;
    const wait = Math.max(0, this.at + this.everyMs - Date.now());
    if (wait === 0) this.go();
    else this.timer = setTimeout(() => this.go(), wait);
  }

  /** What was not said yet is not said any more. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.latest = null;
  }

  private go(): void {
    this.timer = null;
    this.at = Date.now();
    const value = this.latest;
    this.latest = null;
    if (value !== null) this.say(value);
  }
}

/** Whether a key press belongs to an input method: it chooses a word then, and does nothing else. */
export function composes(event: Pick<KeyboardEvent, "isComposing" | "keyCode">): boolean {
  return event.isComposing || event.keyCode === 229;
}
