import { describe, expect, it } from "vitest";
import { content, merged } from "../src/state/settingsMerge";

const BASE = { rev: "1", name: "North", limits: { most: 5, wait: 60 }, tags: ["a"], bound: { paid: ["x"] } };

describe("two people's changes of the same thing", () => {
  it("holds both when they changed different members, however deep", () => {
    const mine = { ...BASE, limits: { most: 7, wait: 60 } };
    const theirs = { ...BASE, rev: "2", name: "West", limits: { most: 5, wait: 90 } };
    expect(merged(BASE, mine, theirs)).toEqual({ ...BASE, rev: "2", name: "West", limits: { most: 7, wait: 90 } });
  });

  it("keeps one's own where both changed the same; a list is one thing", () => {
    const mine = { ...BASE, tags: ["a", "mine"] };
    const theirs = { ...BASE, rev: "2", tags: ["a", "theirs"] };
    expect(merged(BASE, mine, theirs).tags).toEqual(["a", "mine"]);
  });

  it("takes what nobody changed here from them, and their revision always", () => {
    const theirs = { ...BASE, rev: "2", name: "West" };
    expect(merged(BASE, { ...BASE }, theirs)).toEqual(theirs);
    expect(merged(BASE, { ...BASE, rev: "0", name: "Mine" }, theirs)).toEqual({ ...theirs, name: "Mine" });
  });

  it("brings nothing back that was taken out, here or there", () => {
    const mine = { ...BASE, bound: {} };
    expect(merged(BASE, mine, { ...BASE, rev: "2" }).bound).toEqual({});
    const theirs = { ...BASE, rev: "2", bound: {} };
    expect(merged(BASE, { ...BASE, name: "Mine" }, theirs).bound).toEqual({});
  });

  it("shows no revision as a difference", () => {
    expect(content(BASE)).not.toHaveProperty("rev");
    expect(content({ revs: {}, warnings: [], name: "x" })).toEqual({ name: "x" });
  });
});
