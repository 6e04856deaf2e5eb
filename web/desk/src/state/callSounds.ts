/** The sounds of the desk, made on the spot: each call has its own few notes, so that one knows without looking. */

import type { Call } from "./likes";

/** Hertz, one after another. */
const NOTES: Readonly<Record<Call, readonly number[]>> = {
  assigned: [659, 880],
  message: [784],
  shared: [587],
  invited: [523, 659, 784],
  mentioned: [988, 784],
  slow: [440, 440],
  queued: [523],
  connection: [330, 262],
};
const NOTE_S = 0.14;
/** Sounds closer together than this are one. */
const APART_MS = 1200;

export class Sounds {
  private context: AudioContext | null = null;
  private playedAt = 0;

  /** Browsers let a page sound only after it was touched. */
  wake(): void {
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") void this.context.resume().catch(() => undefined);
  }

  /** Whether it could be heard now. */
  get awake(): boolean {
    return this.context?.state === "running";
  }

  play(call: Call, volume: number, now = Date.now()): void {
    const context = this.context;
    if (context === null || context.state !== "running" || volume <= 0 || now - this.playedAt < APART_MS) return;
    this.playedAt = now;
    NOTES[call].forEach((hertz, index) => {
      const from = context.currentTime + index * NOTE_S;
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.type = "sine";
      tone.frequency.value = hertz;
      gain.gain.setValueAtTime(0.0001, from);
      gain.gain.exponentialRampToValueAtTime((volume / 100) * 0.4, from + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, from + NOTE_S * 1.8);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + NOTE_S * 2);
    });
  }
}

export const sounds = new Sounds();
