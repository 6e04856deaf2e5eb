import { describe, expect, it } from "vitest";
import { CALLS, loudness, prefsFrom } from "../src/state/likes";
import { type Entry, matching } from "../src/state/palette";
import { Seat } from "../src/state/workSeat";

describe("calls", () => {
  const both = { sound: true, desktop: true };

  it("are silent about what is seen, and need no notice of the system on a page that is seen", () => {
    expect(loudness(both, { looking: true, there: true })).toEqual({ sound: false, desktop: false });
    expect(loudness(both, { looking: true, there: false })).toEqual({ sound: true, desktop: false });
    expect(loudness(both, { looking: false, there: true })).toEqual(both);
    expect(loudness({ sound: false, desktop: false }, { looking: false, there: false })).toEqual({ sound: false, desktop: false });
  });

  it("keep what was chosen, and take the usual for calls that are new", () => {
    const kept = prefsFrom(JSON.stringify({ volume: 10, calls: { message: { sound: false } } }));
    expect([kept.volume, kept.calls.message, Object.keys(kept.calls)]).toEqual([10, { sound: false, desktop: true }, [...CALLS]]);
    expect(prefsFrom("{").confirmEnd).toBe(true);
    expect(prefsFrom("null").enterSends).toBe(true);
  });
});

describe("the palette", () => {
  const entry = (text: string, more: Partial<Entry> = {}): Entry => ({ id: text, group: "commands", text, hint: "", words: "", asked: false, run: () => undefined, ...more });
  const entries = [entry("切换状态：挂起", { words: "paused" }), entry("状态"), entry("小雨", { group: "conversations", hint: "我的退货" }), entry("转接给 林小美", { asked: true })];
  const texts = (typed: string): string[] => matching(entries, typed).map((each) => each.text);

  it("offers everything that need not be asked for", () => {
    expect(texts(" ")).toEqual(["切换状态：挂起", "状态", "小雨"]);
  });

  it("puts what begins with the words first, and finds by hints and other words", () => {
    expect(texts("状态")).toEqual(["状态", "切换状态：挂起"]);
    expect([texts("退货"), texts("PAUSED"), texts("林小美"), texts("林小美 x")]).toEqual([["小雨"], ["切换状态：挂起"], ["转接给 林小美"], []]);
  });
});

/** The browser's locks: one holder, the others in a row. */
class Locks {
  private holder: { leave: (error: Error) => void } | null = null;
  private readonly row: (() => void)[] = [];

  request = ((_name: string, options: LockOptions, holds: () => Promise<void>): Promise<void> =>
    new Promise((done, failed) => {
      const sit = (): void => {
        const mine = { leave: (error: Error) => failed(error) };
        this.holder = mine;
        holds().then(() => {
          if (this.holder === mine) this.next();
          done();
        }, failed);
      };
      if (options.steal) {
        this.holder?.leave(new Error("stolen"));
        sit();
      } else if (this.holder === null) sit();
      else this.row.push(sit);
    })) as never;

  private next(): void {
    this.holder = null;
    this.row.shift()?.();
  }
}

describe("the seat", () => {
  const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 80));

  it("is one tab's; the next one gets it when that leaves", async () => {
    const locks = new Locks();
    const [one, two] = [new Seat("s", undefined, locks), new Seat("s", undefined, locks)];
    one.begin();
    two.begin();
    await settled();
    expect([one.held.value, two.held.value]).toEqual([true, false]);
    one.end();
    await settled();
    expect(two.held.value).toBe(true);
  });

  it("can be taken; who had it waits, and gets it back", async () => {
    const locks = new Locks();
    const [one, two] = [new Seat("s", undefined, locks), new Seat("s", undefined, locks)];
    one.begin();
    two.begin();
    await settled();
    two.take();
    await settled();
    expect([one.held.value, two.held.value]).toEqual([false, true]);
    one.take();
    await settled();
    expect([one.held.value, two.held.value]).toEqual([true, false]);
    one.end();
    await settled();
    expect(two.held.value).toBe(true);
  });
});
