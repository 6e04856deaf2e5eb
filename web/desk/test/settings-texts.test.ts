import { describe, expect, it } from "vitest";
import { ACTIONS, LEAVES, TREES } from "../src/state/settingsRules";
import { RIGHTS } from "../src/state/settingsRoles";
import { PAGES, pagesFor } from "../src/state/settingsPages";
import { settings } from "../src/texts/areas/settings";

const sources = Object.values(
  import.meta.glob<string>("../src/parts/settings/*.vue", { query: "?raw", import: "default", eager: true }),
);
const LANGUAGES = ["en", "zh-CN", "zh-TW"] as const;

function at(language: (typeof LANGUAGES)[number], key: string): unknown {
  let node: unknown = settings[language];
  for (const part of key.split(".")) node = (node as Record<string, unknown> | undefined)?.[part];
  return node;
}

describe("the words of the settings", () => {
  it("are there for every key that a page names", () => {
    const named = sources.flatMap((source) => [...source.matchAll(/["'`]settings\.([a-z_]+(?:\.[a-z_]+)+)["'`]/g)].map((found) => found[1] ?? ""));
    expect(named.length).toBeGreaterThan(150);
    expect([...new Set(named)].filter((key) => typeof at("en", key) !== "string")).toEqual([]);
  });
  it("are there for every kind of condition and action, every right and every page", () => {
    const keys = [
      ...[...TREES, ...LEAVES].map((kind) => `rules.kind.${kind}`),
      ...ACTIONS.map((kind) => `rules.action.${kind}`),
      ...Object.values(RIGHTS).flat().map((right) => `right.${right.replace(".", "_")}`),
      ...PAGES.map((page) => `pages.${page.name}`),
    ];
    for (const language of LANGUAGES) expect(keys.filter((key) => typeof at(language, key) !== "string")).toEqual([]);
  });
  it("have nothing in them that the translator would read as its own syntax", () => {
    const said = JSON.stringify(settings);
    expect(said).not.toMatch(/[@|]/);
  });
});

describe("the menu", () => {
  it("offers a page only with its right", () => {
    expect(pagesFor((right) => right === "audit.view").map((page) => page.name)).toEqual(["audit"]);
    expect(pagesFor(() => false)).toEqual([]);
  });
  it("lets who manages agents see accounts", () => {
    expect(pagesFor((right) => right === "agent.manage").map((page) => page.name)).toEqual(["accounts", "schedules"]);
  });
});
