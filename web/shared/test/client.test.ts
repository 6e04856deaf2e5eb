import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Client } from "../src/client";

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
