import type { Message } from "@pointsman/shared";
import { describe, expect, it } from "vitest";
import { unheard } from "../src/panel/ending";

const START = Date.parse("2026-11-22T08:00:00.000Z");
const NOBODY_SAW = (message: Message): number => Date.parse(message.created_at);
let seq = 0;

function step(event: string, atS: number, undo_s = 10): Message {
  seq += 1;
  return {
    message_id: `m${seq}`,
    seq,
    created_at: new Date(START + atS * 1000).toISOString(),
    body: { kind: "system", event, data: event === "ended" ? { undo_s } : {} },
  } as unknown as Message;
}

describe("an end", () => {
  it("is not shown while it may be taken back", () => {
    const ended = step("ended", 0);
    const { hidden, until } = unheard([ended], NOBODY_SAW, START + 4_000);
    expect([...hidden]).toEqual([ended.message_id]);
    expect(until).toBe(START + 10_000);
    expect(unheard([ended], NOBODY_SAW, START + 10_000)).toEqual({ hidden: new Set(), until: 0 });
  });
  it("that was taken back in time never was", () => {
    const log = [step("assigned", 0), step("ended", 5), step("reopened", 14), step("ended", 60)];
    const { hidden, until } = unheard(log, NOBODY_SAW, START + 200_000);
    expect([...hidden]).toEqual([log[1]!.message_id, log[2]!.message_id]);
    expect(until).toBe(0);
  });
  it("that was taken back late is told, and that it goes on", () => {
    expect(unheard([step("ended", 0), step("reopened", 11)], NOBODY_SAW, START + 20_000).hidden.size).toBe(0);
  });
  it("that is closed is one at once", () => {
    expect(unheard([step("ended", 0), step("closed", 1)], NOBODY_SAW, START + 2_000)).toEqual({ hidden: new Set(), until: 0 });
  });
  it("goes by when it came, whatever this clock says", () => {
    const ended = step("ended", 0);
    const late = START - 300_000;
    expect(unheard([ended], () => late, late + 9_000).until).toBe(late + 10_000);
    const early = START + 300_000;
    expect(unheard([ended], () => early, early + 9_000).hidden.size).toBe(1);
  });
  it("of a shop that offers no undo is told at once", () => {
    expect(unheard([step("ended", 0, 0)], NOBODY_SAW, START).hidden.size).toBe(0);
  });
});
