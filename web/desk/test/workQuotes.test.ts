import type { Message } from "@pointsman/shared";
import { describe, expect, it } from "vitest";
import { likeliest, quoteOf, Quotes } from "../src/state/workQuotes";

function said(id: string, more: Partial<Message> = {}): Message {
  return {
    conversation_id: "c1", message_id: id, seq: 1, internal: false, recalled_at: null,
    sender: { kind: "customer", id: "ada", name: "Ada" }, body: { kind: "text", text: `words of  ${id}` }, ...more,
  } as Message;
}
const ANN = { kind: "agent", id: "ann", name: "Ann" } as const;

function store(): Pick<Storage, "getItem" | "setItem"> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

describe("a quote", () => {
  it("goes with the next words, once, and survives a reload until then", () => {
    const kept = store();
    new Quotes("q", kept).choose(said("m1"));
    const quotes = new Quotes("q", kept);
    expect(quotes.take("c1", "reply")).toEqual({
      quote: { message_id: "m1", sender: { kind: "customer", id: "ada", name: "Ada" }, kind: "text", excerpt: "words of m1" },
    });
    expect(quotes.take("c1", "reply")).toEqual({});
  });
  it("of a note goes with a note only", () => {
    const quotes = new Quotes("q", store());
    quotes.choose(said("n1", { internal: true, sender: ANN, body: { kind: "note", text: "careful", mentions: [], whisper: false, quote: null } }));
    expect(quotes.take("c1", "reply")).toEqual({});
    expect(quotes.take("c1", "note").quote?.excerpt).toBe("careful");
  });
  it("is bounded, and there is none of what was recalled or said by the system", () => {
    expect(quoteOf(said("m1", { body: { kind: "text", text: "x".repeat(500), quote: null } }))?.excerpt.length).toBe(200);
    expect(quoteOf(said("m1", { body: null }))).toBeNull();
    expect(quoteOf(said("m1", { body: { kind: "system", event: "ended", data: {} } }))).toBeNull();
  });
  it("by key is the customer's last message, else the last", () => {
    expect(likeliest([said("m1"), said("m2", { sender: ANN })])?.message_id).toBe("m1");
    expect(likeliest([said("m2", { sender: ANN }), said("m3", { body: null })])?.message_id).toBe("m2");
    expect(likeliest([])).toBeNull();
  });
});
