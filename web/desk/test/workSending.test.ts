import { Refused } from "@pointsman/shared";
import { describe, expect, it, vi } from "vitest";

vi.mock("../src/texts", () => ({ i18n: { global: { t: (key: string) => key, te: () => true } } }));
vi.mock("../src/api", () => ({ Problem: class Problem extends Error {} }));

import { Drafts } from "../src/state/workDrafts";
import { actOfKey, isPalette } from "../src/state/workKeys";
import { type Outcome, Outbox } from "../src/state/workOutbox";
import { composes, Pace } from "../src/state/workPace";

class Kept {
  readonly all = new Map<string, string>();
  full = false;
  get length(): number {
    return this.all.size;
  }
  key = (at: number): string | null => [...this.all.keys()][at] ?? null;
  getItem = (key: string): string | null => this.all.get(key) ?? null;
  removeItem = (key: string): void => void this.all.delete(key);
  setItem = (key: string, value: string): void => {
    if (this.full) throw new Error("QuotaExceededError");
    this.all.set(key, value);
  };
}
const stale = new Refused(1011, "stale_assignment", "It changed hands.", false, null, { owner: { id: "w", name: "王磊" } });
const reply = { conversation: "a", method: "message.send" as const, body: { kind: "text" as const, text: "您好" }, epoch: 3 };

describe("drafts", () => {
  it("are there again after a reload, per conversation and kind", () => {
    const storage = new Kept();
    new Drafts("d", storage).set("a", "reply", "half a sen");
    const again = new Drafts("d", storage);
    expect([again.of("a", "reply"), again.of("a", "note"), again.of("b", "reply")]).toEqual(["half a sen", "", ""]);
    expect([again.any("a"), again.any("b")]).toEqual([true, false]);
  });

  it("take a returned text before what was written since", () => {
    const drafts = new Drafts("d", new Kept());
    drafts.set("a", "reply", "since");
    drafts.giveBack("a", "reply", "returned");
    expect(drafts.of("a", "reply")).toBe("returned\nsince");
  });

  it("are forgotten after two weeks, and a broken store is an empty one", () => {
    const storage = new Kept();
    new Drafts("d", storage).set("a", "reply", "old");
    expect(new Drafts("d", storage, Date.now() + 15 * 24 * 3600_000).of("a", "reply")).toBe("");
    storage.setItem("d:a:reply", "{");
    expect(new Drafts("d", storage).of("a", "reply")).toBe("");
  });

  it("are one draft in two tabs, and the one of another conversation stays", () => {
    const storage = new Kept();
    const [one, two] = [new Drafts("d", storage), new Drafts("d", storage)];
    one.set("a", "reply", "in the first tab");
    two.set("b", "reply", "in the second");
    two.hear({ key: "d:a:reply" });
    expect([two.of("a", "reply"), new Drafts("d", storage).of("a", "reply")]).toEqual(["in the first tab", "in the first tab"]);
    one.set("a", "reply", "");
    two.hear({ key: "d:a:reply" });
    expect([two.of("a", "reply"), two.of("b", "reply")]).toEqual(["", "in the second"]);
  });

  it("live as long as the tab when the browser keeps nothing more", () => {
    const storage = new Kept();
    const drafts = new Drafts("d", storage);
    storage.full = true;
    drafts.set("a", "reply", "typed on");
    expect([drafts.of("a", "reply"), storage.length]).toEqual(["typed on", 0]);
  });
});

describe("the outbox", () => {
  const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

  it("sends again after a reload, under the same id", async () => {
    const storage = new Kept();
    const sent: string[] = [];
    const hanging = vi.fn((_method: string, params: { client_message_id: string }) => {
      sent.push(params.client_message_id);
      return new Promise(() => undefined);
    });
    new Outbox("o", hanging as never, () => undefined, storage).add(reply);
    new Outbox("o", hanging as never, () => undefined, storage);
    expect(sent).toHaveLength(2);
    expect(sent[0]).toBe(sent[1]);
  });

  it("forgets what was sent", async () => {
    const storage = new Kept();
    const outbox = new Outbox("o", (async () => ({ seq: 1 })) as never, () => undefined, storage);
    outbox.add(reply);
    await settled();
    expect(outbox.of("a")).toEqual([]);
    expect(storage.length).toBe(0);
  });

  it("takes on what a closed tab left, in the order in which it was written", async () => {
    const storage = new Kept();
    const sent: string[] = [];
    const here = new Outbox("o", ((_: string, given: { body: { text: string } }) => (sent.push(given.body.text), new Promise(() => undefined))) as never, () => undefined, storage);
    const closed = new Outbox("o", (() => new Promise(() => undefined)) as never, () => undefined, storage);
    for (const text of ["one", "two", "three"]) closed.add({ ...reply, body: { kind: "text", text } });
    here.adopt();
    expect(sent).toEqual(["one", "two", "three"]);
    here.adopt();
    expect(sent).toHaveLength(3);
  });

  it("is silent about what another tab has brought to its end", async () => {
    const storage = new Kept();
    const told: string[] = [];
    let answer: (error: Error) => void = () => undefined;
    const hanging = (() => new Promise((_, reject) => (answer = reject))) as never;
    const outbox = new Outbox("o", hanging, (pending) => told.push(pending.id), storage);
    outbox.add(reply);
    outbox.hear({ key: storage.key(0), newValue: null });
    answer(stale);
    await settled();
    expect([told, outbox.of("a")]).toEqual([[], []]);
  });

  it("keeps what was written until the next sign-in when the session was ended", async () => {
    const storage = new Kept();
    const over = new Refused(1001, "stopped", "signed out", false);
    const outbox = new Outbox("o", (() => Promise.reject(over)) as never, () => undefined, storage);
    outbox.add(reply);
    await settled();
    expect([outbox.of("a").map((each) => each.failed), storage.length]).toEqual([[null], 1]);
  });

  it("gives a text back when the conversation changed hands, and says to whom", async () => {
    const told: [string, Outcome][] = [];
    const outbox = new Outbox("o", (() => Promise.reject(stale)) as never, (pending, outcome) => told.push([pending.conversation, outcome]), new Kept());
    outbox.add(reply);
    await settled();
    expect(told).toEqual([["a", { kind: "stale", owner: { id: "w", name: "王磊" } }]]);
    expect(outbox.of("a")).toEqual([]);
  });

  it("keeps what was refused, with the reason, to be tried again", async () => {
    const refusal = new Refused(1003, "forbidden", "Not yours.", false);
    const outbox = new Outbox("o", (() => Promise.reject(refusal)) as never, () => undefined, new Kept());
    outbox.add(reply);
    await settled();
    expect(outbox.of("a").map((each) => each.failed)).toEqual(["refusals.forbidden"]);
  });

  it("says which owner the writer believes in, for replies only", () => {
    const params: Record<string, unknown>[] = [];
    const send = ((_: string, given: Record<string, unknown>) => (params.push(given), new Promise(() => undefined))) as never;
    const outbox = new Outbox("o", send, () => undefined, new Kept());
    outbox.add(reply);
    outbox.add({ ...reply, method: "note.send", body: { kind: "note", text: "x" }, epoch: 3 });
    expect(params.map((each) => each["assign_epoch"])).toEqual([3, undefined]);
  });
});

it("typing is told at once, then at most every two seconds, and ends with the newest", () => {
  vi.useFakeTimers();
  const said: string[] = [];
  const pace = new Pace<string>(2000, (text) => said.push(text));
  for (const text of ["a", "ab", "abc"]) pace.give(text);
  expect(said).toEqual(["a"]);
  vi.advanceTimersByTime(2000);
  expect(said).toEqual(["a", "abc"]);
  pace.give("abcd");
  pace.stop();
  vi.advanceTimersByTime(5000);
  expect(said).toEqual(["a", "abc"]);
  vi.useRealTimers();
});

describe("keys", () => {
  const pressed = (key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent =>
    ({ key, keyCode: 0, isComposing: false, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, defaultPrevented: false, target: null, ...more }) as KeyboardEvent;

  it("belong to the input method while it composes", () => {
    expect(composes({ isComposing: true, keyCode: 13 })).toBe(true);
    expect(composes({ isComposing: false, keyCode: 229 })).toBe(true);
    expect(composes({ isComposing: false, keyCode: 13 })).toBe(false);
    expect(actOfKey(pressed("Escape", { isComposing: true }))).toBeNull();
  });

  it("go through the list and end", () => {
    expect(["j", "K", "ArrowDown", "Escape", "?", "l"].map((key) => actOfKey(pressed(key)))).toEqual(["next", "before", "next", "end", "help", "slots"]);
  });

  it("open the palette with Ctrl or Cmd and K, but not while something is composed", () => {
    expect([pressed("k", { ctrlKey: true }), pressed("K", { metaKey: true })].map(isPalette)).toEqual([true, true]);
    expect([pressed("k"), pressed("k", { ctrlKey: true, isComposing: true })].map(isPalette)).toEqual([false, false]);
  });

  it("mean nothing with Ctrl, nor when somebody has taken them", () => {
    expect(actOfKey(pressed("r", { ctrlKey: true }))).toBeNull();
    expect(actOfKey(pressed("j", { defaultPrevented: true }))).toBeNull();
  });
});
