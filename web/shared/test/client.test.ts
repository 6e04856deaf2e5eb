import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Client } from "../src/client";
import { Log } from "../src/log";
import type { HistoryResult, Message } from "../src/protocol";

/** A socket as the browser has it, without a network: it opens when the test says so. */
class Socket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  static made: Socket[] = [];
  readyState = Socket.CONNECTING;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  /** what the browser writes to the console */
  complaints = 0;

  constructor() {
    Socket.made.push(this);
  }

  opens(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
  }

  send(): void {}

  close(): void {
    if (this.readyState === Socket.CONNECTING) this.complaints += 1;
    this.readyState = Socket.CLOSED;
  }
}

beforeEach(() => {
  Socket.made = [];
  vi.stubGlobal("WebSocket", Socket);
});
afterEach(() => vi.unstubAllGlobals());

test("who leaves while the socket still connects closes it once it is open: browsers complain of less", async () => {
  const client = new Client("ws://shop/ws", () => Promise.resolve("ticket"), { name: "test", version: "1", device: "web" });
  client.start();
  await vi.waitFor(() => expect(Socket.made).toHaveLength(1));
  await client.stop();
  const socket = Socket.made[0] as Socket;
  expect(socket.readyState).toBe(Socket.CONNECTING);
  socket.opens();
  expect(socket.readyState).toBe(Socket.CLOSED);
  expect(socket.complaints).toBe(0);
});

test("earlier entries are fetched once, however many ask for them meanwhile", async () => {
  const client = new Client("ws://shop/ws", () => Promise.resolve("ticket"), { name: "test", version: "1", device: "web" });
  client.logs.set("talk", new Log(2));
  const messages = [1, 2].map((seq) => ({ conversation_id: "talk", seq }) as Message);
  const ask = vi.spyOn(client, "ask").mockResolvedValue({ messages, more: false, head_seq: 2 } as HistoryResult as never);
  const both = await Promise.all([client.earlier("talk"), client.earlier("talk")]);
  expect(both).toEqual([false, false]);
  expect(ask).toHaveBeenCalledTimes(1);
  expect(client.log("talk").messages.map((each) => each.seq)).toEqual([1, 2]);
  ask.mockRejectedValue(new Error("away"));
  client.logs.set("other", new Log(9));
  await expect(client.earlier("other")).rejects.toThrow("away");
  ask.mockResolvedValue({ messages: [], more: true, head_seq: 9 } as HistoryResult as never);
  await expect(client.earlier("other")).resolves.toBe(true);
});
