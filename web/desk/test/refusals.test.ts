import { Refused } from "@pointsman/shared";
import { describe, expect, it, vi } from "vitest";

vi.mock("../src/texts", async () => {
  const words = (await import("../src/texts/areas/refusals")).refusals["zh-CN"] as Record<string, string>;
  const reasonOf = (key: string): string => key.replace("refusals.", "");
  return {
    i18n: {
      global: {
        t: (key: string, named: { reason: string }) => words[reasonOf(key)]?.replace("{reason}", named.reason),
        te: (key: string) => reasonOf(key) in words,
      },
    },
  };
});
vi.mock("../src/api", () => ({
  Problem: class Problem extends Error {
    constructor(
      readonly status: number,
      readonly reason: string,
      message: string,
    ) {
      super(message);
    }
  },
}));

import { Problem } from "../src/api";
import { whyOf } from "../src/state/refusals";
import { refusals } from "../src/texts/areas/refusals";

const ENGLISH = "The server's own English sentence.";

describe("why something was refused", () => {
  it("is said in the reader's language, over the socket and over HTTP", () => {
    expect(whyOf(new Refused(1012, "recall_too_late", ENGLISH, false))).toBe("已超过可撤回时限。");
    expect(whyOf(new Problem(409, "stale_rev", ENGLISH))).toBe("其他人刚刚修改过，请载入最新内容。");
  });

  it("is said by its class when the reason is new, and never in the server's words", () => {
    expect(whyOf(new Refused(1003, "not_on_sundays", ENGLISH, false))).toBe("您的角色没有此权限。");
    expect(whyOf(new Problem(418, "teapot", ENGLISH))).toBe("服务器拒绝了此操作（teapot）。");
  });

  it("has words for every reason in every language, and no words twice as long as they need be", () => {
    const tables = Object.values(refusals) as Record<string, string>[];
    for (const table of tables) {
      expect(Object.keys(table)).toEqual(Object.keys(tables[0] as object));
      for (const [reason, words] of Object.entries(table)) expect(words.length, reason).toBeGreaterThan(3);
      for (const [reason, words] of Object.entries(table)) expect(words.length, reason).toBeLessThan(90);
    }
  });
});
