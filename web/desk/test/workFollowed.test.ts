/** The server is asked about what comes into sight, once, and never again for what it tells of by itself. */

import type { Conversation, Known } from "@pointsman/shared";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Followed } from "../src/state/workFollowed";

const talk = (id: string, head_seq = 1): Conversation => ({ conversation_id: id, rev: 1, head_seq }) as Conversation;

interface Asked {
  conversations: Known[];
  head: boolean;
}

function desk() {
  const sight = { shown: [] as Conversation[], head: false };
  const asked: Asked[] = [];
  const followed = new Followed(
    () => sight,
    async (params) => {
      asked.push(params);
    },
  );
  const looks = (shown: Conversation[], head = false): void => {
    Object.assign(sight, { shown, head });
    followed.look();
    vi.runAllTimers();
  };
  const ids = (): string[][] => asked.map((each) => each.conversations.map((one) => one.conversation_id));
  return { followed, asked, looks, ids };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is in sight is named as it is known", () => {
  const { asked, looks } = desk();
  looks([talk("a", 3)], true);
  expect(asked).toEqual([{ conversations: [{ conversation_id: "a", rev: 1, head_seq: 3 }], head: true }]);
});

test("what went out of sight, or was told, is no reason to ask again; what came into sight is", () => {
  const { followed, looks, ids } = desk();
  looks([talk("a"), talk("b")], true);
  looks([talk("b")], true);
  followed.heard({ conversation_id: "c", conversation: talk("c") });
  looks([talk("c"), talk("b")], true);
  expect(ids()).toEqual([["a", "b"]]);
  looks([talk("d")], true);
  expect(ids()).toEqual([["a", "b"], ["d"]]);
});

test("what is gone is named again when it is shown again", () => {
  const { followed, looks, ids } = desk();
  looks([talk("a")]);
  followed.heard({ conversation_id: "a", conversation: null });
  looks([talk("a")]);
  expect(ids()).toEqual([["a"], ["a"]]);
});

test("with nothing in sight nothing is followed", () => {
  const { followed, looks, ids } = desk();
  looks([]);
  expect(ids()).toEqual([]);
  looks([talk("a")]);
  looks([]);
  expect(ids()).toEqual([["a"], []]);
  followed.end();
  expect(ids()).toEqual([["a"], []]);
});

test("a new connection is told everything", () => {
  const { followed, looks, ids } = desk();
  looks([talk("a")]);
  followed.again();
  expect(ids()).toEqual([["a"], ["a"]]);
});

test("a thousand told while one looks at the list are forgotten again", () => {
  const { followed, looks, ids } = desk();
  looks([talk("a")], true);
  for (let n = 0; n < 1000; n += 1) followed.heard({ conversation_id: `n${n}`, conversation: talk(`n${n}`) });
  looks([talk("a")], true);
  expect(ids()).toEqual([["a"], ["a"]]);
});
