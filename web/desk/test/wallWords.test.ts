import type { Message } from "@pointsman/shared";
import { Refused } from "@pointsman/shared";
import { describe, expect, it, vi } from "vitest";

const known = new Set(["wall.refused.stale_epoch", "refusals.not_found", "refusals.forbidden", "refusals.owner_stays"]);
vi.mock("../src/texts", () => ({
  i18n: {
    global: {
      t: (key: string, named: Record<string, unknown>) => [key, ...Object.values(named)].join("|"),
      te: (key: string) => known.has(key),
    },
  },
}));
vi.mock("../src/api", () => {
  class Problem extends Error {
    constructor(
      readonly status: number,
      readonly reason: string,
      message: string,
    ) {
      super(message);
    }
  }
  return { Problem, api: {} };
});

import { Problem } from "../src/api";
import { lineWords, why } from "../src/state/wallWords";

function entry(changes: Partial<Message>): Message {
  return {
    conversation_id: "c",
    seq: 1,
    message_id: "m",
    client_message_id: null,
    sender: { kind: "customer", id: "x", name: "李强" },
    body: { kind: "text", text: "<b>hello</b>", quote: null },
    created_at: "2026-11-22T08:00:00.000Z",
    recalled_at: null,
    rev: 1,
    internal: false,
    ...changes,
  };
}

describe("a refusal", () => {
  it("is said in the wall's words, else in everybody's: by its reason, or by its class", () => {
    expect(why(new Refused(1011, "stale_epoch", "Moved.", false))).toBe("wall.refused.stale_epoch");
    expect(why(new Refused(1004, "alarm_not_found", "There is no such alarm here.", false))).toBe("refusals.not_found|alarm_not_found");
    expect(why(new Problem(403, "forbidden", "No."))).toBe("refusals.forbidden|forbidden");
    expect(why(new Refused(1009, "owner_stays", "You own it.", false))).toBe("refusals.owner_stays|owner_stays");
  });

  it("is no refusal when it is a bug", () => {
    const bug = new TypeError("x is undefined");
    expect(() => why(bug)).toThrow(bug);
  });
});

describe("a line of the thread", () => {
  it("is text, whatever markup a customer writes", () => {
    expect(lineWords(entry({}))).toMatchObject({ kind: "said", text: "<b>hello</b>", file: null });
  });

  it("keeps what is internal apart, files too", () => {
    const body = { kind: "image", file_id: "f", name: "a.png", width: 1, height: 1, size_bytes: 1 } as const;
    expect(lineWords(entry({ internal: true, body }))).toMatchObject({ kind: "note", file: "f", image: true });
    expect(lineWords(entry({ internal: true, body: { kind: "note", text: "hm", mentions: [], whisper: true, quote: null } }))).toMatchObject({
      kind: "note",
      text: "hm",
    });
  });

  it("says who did what, and why", () => {
    const data = { by: { name: "主管" }, who: [{ name: "王磊" }, { name: "赵敏" }], reason: "忙" };
    expect(lineWords(entry({ internal: true, body: { kind: "system", event: "invited", data } })).text).toBe(
      "words.event.invited|王磊, 赵敏|主管|| (忙)",
    );
  });

  it("shows nothing of what was recalled", () => {
    expect(lineWords(entry({ body: null })).text).toBe("wall.line.recalled");
  });
});
