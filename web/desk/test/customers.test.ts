import { beforeEach, describe, expect, it, vi } from "vitest";

const ask = vi.hoisted(() => vi.fn());
vi.mock("../src/api", () => ({ api: { ask } }));

import { NO_FILTER, filterOf, give, isSet, listPath, set } from "../src/state/customers";

beforeEach(() => {
  ask.mockReset();
  ask.mockResolvedValue({ id: "job" });
});

describe("a filter", () => {
  it("comes out of an address as it went in, whatever else stands there", () => {
    const filter = { ...NO_FILTER, owner: "nobody", q: "李 & co" };
    expect(filterOf({ ...set(filter), customer: "c1", tag: ["two", "tags"] })).toEqual(filter);
  });

  it("of blanks is none", () => {
    expect(isSet({ ...NO_FILTER, q: "  " })).toBe(false);
  });

  it("asks only for what is set, page by page", () => {
    const asked = new URL(listPath({ ...NO_FILTER, q: "a b", order_state: "after_sale" }, "next"), "http://shop");
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      q: "a b",
      order_state: "after_sale",
      limit: "50",
      cursor: "next",
    });
  });
});

describe("giving customers to somebody", () => {
  it("names the chosen ones, and never a filter beside them", async () => {
    await give({ customers: ["c1"], filter: { ...NO_FILTER, tag: "VIP" }, to: "agent", reason: "" });
    expect(ask).toHaveBeenCalledWith("POST", "/v1/customers/reassignments", {
      customer_ids: ["c1"],
      to: "agent",
      reason: "",
    });
  });

  it("names everybody who fits by the filter alone", async () => {
    await give({ customers: null, filter: { ...NO_FILTER, tag: "VIP" }, to: null, reason: "moved" });
    expect(ask).toHaveBeenCalledWith("POST", "/v1/customers/reassignments", {
      filter: { tag: "VIP" },
      to: null,
      reason: "moved",
    });
  });
});
