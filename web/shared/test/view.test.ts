import { expect, test } from "vitest";
import type { Conversation, Message } from "../src/protocol";
import * as reduce from "../src/view";

const LAST = { conversation_id: "c1", seq: 7, rev: 0, sender: { kind: "customer", id: "k1", name: "Alice" } } as Message;
const picture = (rev: number, last: Message | null = null): Conversation =>
  ({ conversation_id: "c1", rev, head_seq: 7, last_message: last, customer_messages: 1, customer_messages_read: 0, answered: false }) as Conversation;

test("an older picture that comes late tells what was said last, and nothing else", () => {
  const before = reduce.put(reduce.EMPTY, picture(2));
  const view = reduce.put(before, picture(1, LAST));
  expect(view.conversations["c1"]).toMatchObject({ rev: 2, last_message: LAST });
  expect(reduce.put(view, picture(1, LAST))).toBe(view);
  expect(reduce.put(view, picture(3)).conversations["c1"]).toMatchObject({ rev: 3, last_message: LAST });
});

test("of what was said in a closed conversation only the last is kept", () => {
  const words = (seq: number): Message => ({ ...LAST, seq, body: { kind: "text", text: `${seq}` } }) as Message;
  let view = reduce.put(reduce.EMPTY, picture(1));
  for (const seq of [8, 9]) view = reduce.said(view, words(seq));
  expect(view.tails["c1"]).toHaveLength(2);
  view = reduce.put(view, { ...picture(2), state: "closed" });
  view = reduce.said(view, words(10));
  expect(view.tails).toEqual({});
  expect(view.conversations["c1"]).toMatchObject({ head_seq: 10, last_message: { seq: 10 } });
});
