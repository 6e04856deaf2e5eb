import { beforeEach, describe, expect, it, vi } from "vitest";

const { open } = vi.hoisted(() => ({ open: vi.fn<(path: string, signal: AbortSignal) => Promise<Response>>() }));
vi.mock("../src/api", async () => {
  class Problem extends Error {
    constructor(readonly status: number, readonly reason: string, message: string) {
      super(message);
    }
  }
  return { api: { open }, Problem };
});

import { type Progress, download, nameOf, progressOf } from "../src/state/download";

function answer(parts: (string | Error)[], headers: Record<string, string>): Response {
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = parts[next++];
      if (part === undefined) controller.close();
      else if (part instanceof Error) controller.error(part);
      else controller.enqueue(new TextEncoder().encode(part));
    },
  });
  return new Response(body, { headers });
}

const CSV = { "content-type": "text/csv; charset=utf-8", "pointsman-rows": "4", "content-disposition": 'attachment; filename="c.csv"' };

describe("a download", () => {
  beforeEach(() => void open.mockReset());

  it("is told piece by piece how far it is, and is whole at its end", async () => {
    open.mockResolvedValue(answer(["a,b\r\n1,2\r\n", "3,4\r\n5,6\r\n7,8\r\n"], CSV));
    const told: Progress[] = [];
    const file = await download("/x", new AbortController().signal, (progress) => told.push(progress));
    expect(told.map((each) => each.share)).toEqual([0, 0.25, 1]);
    expect(await file.blob.text()).toBe("a,b\r\n1,2\r\n3,4\r\n5,6\r\n7,8\r\n");
    expect(file.name).toBe("c.csv");
  });

  it("that breaks off is no file", async () => {
    open.mockResolvedValue(answer(["a,b\r\n", new Error("reset")], CSV));
    await expect(download("/x", new AbortController().signal, () => undefined)).rejects.toMatchObject({ reason: "interrupted" });
  });

  it("that somebody stops is no failure of its own", async () => {
    const stop = new AbortController();
    open.mockResolvedValue(answer(["a,b\r\n", new Error("aborted")], CSV));
    const taken = download("/x", stop.signal, () => stop.abort());
    await expect(taken).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("progress", () => {
  it("is a share of the bytes, else of the rows, else unknown", () => {
    expect(progressOf(50, 0, 200, null).share).toBe(0.25);
    expect(progressOf(50, 3, null, 4).share).toBe(0.5);
    expect(progressOf(50, 9, null, 4).share).toBe(1);
    expect(progressOf(50, 3, null, null).share).toBeNull();
    expect(progressOf(9, 1, null, 0).share).toBe(1);
  });
});

describe("the name of a file", () => {
  it("is the server's, and never a path", () => {
    expect(nameOf('attachment; filename="a.csv"', "x")).toBe("a.csv");
    expect(nameOf('attachment; filename="../a.csv"', "x")).toBe("x");
    expect(nameOf(null, "x")).toBe("x");
  });
});
