import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Log } from "../src/log";
import type { HelloResult, Message, ServerEvents } from "../src/protocol";
import * as reduce from "../src/view";

const FOLDER = new URL("../../../tests/protocol/golden/", import.meta.url);

interface Story {
  hello: HelloResult;
  frames: { method: keyof ServerEvents; params: never }[];
  known: Record<string, unknown> & { logs: Record<string, number[]>; snapshot: string[] };
}

/** The same steps as `tests/protocol/golden.py`. */
function play(story: Story): { view: reduce.View; logs: Map<string, Log> } {
  let { view } = reduce.begin(reduce.EMPTY, story.hello);
  const logs = new Map<string, Log>();
  for (const each of story.hello.snapshot.conversations) logs.set(each.conversation_id, new Log(each.head_seq));
  for (const { method, params } of story.frames) {
    if (method === "message.created" || method === "note.created" || method === "message.updated") {
      const message = params as Message;
      const log = logs.get(message.conversation_id) ?? new Log(message.seq - 1);
      logs.set(message.conversation_id, log);
      if (method === "message.updated") {
        if (log.update(message)) view = reduce.changed(view, message);
      } else {
        for (const taken of log.take(message)) view = reduce.said(view, taken);
      }
    } else {
      view = reduce.apply(view, method, params);
    }
  }
  return { view, logs };
}

describe("golden frames", () => {
  for (const file of readdirSync(FOLDER)) {
    test(file, () => {
      const story = JSON.parse(readFileSync(new URL(file, FOLDER), "utf-8")) as Story;
      const { view, logs } = play(story);
      const { logs: seqs, snapshot, watching, ...records } = story.known;
      for (const [name, value] of Object.entries(records)) {
        expect(view[name as keyof reduce.View], name).toEqual(value);
      }
      expect([...view.watching].sort()).toEqual(watching);
      expect(reduce.snapshot(view).map((each) => each.conversation_id)).toEqual(snapshot);
      expect(Object.fromEntries([...logs].map(([id, log]) => [id, log.messages.map((each) => each.seq)]))).toEqual(
        seqs,
      );
    });
  }
});
