import { describe, expect, it } from "vitest";
import { dayIn, instantIn, localIn, offsetMs } from "../src/state/zones";

describe("a clock of another zone", () => {
  it("is ahead of UTC by its offset, half hours and quarters too", () => {
    const at = Date.parse("2026-11-22T00:00:00Z");
    expect(["Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "UTC"].map((zone) => offsetMs(zone, at) / 60_000)).toEqual([
      480, 345, -300, 0,
    ]);
  });
  it("is read and written as the same instant", () => {
    for (const zone of ["Asia/Shanghai", "America/St_Johns", "Pacific/Kiritimati", "Europe/Berlin"]) {
      expect(instantIn(zone, localIn(zone, "2026-07-14T23:30:00.000Z"))).toBe("2026-07-14T23:30:00.000Z");
    }
  });
  it("means the shop's morning, whatever the browser's is", () => {
    expect(instantIn("Asia/Shanghai", "2026-12-25T09:30")).toBe("2026-12-25T01:30:00.000Z");
    expect(instantIn("America/New_York", "2026-12-25T09:30")).toBe("2026-12-25T14:30:00.000Z");
  });
  it("takes the second of an hour that comes twice, and goes on after one that is left out", () => {
    expect(instantIn("Europe/Berlin", "2026-10-25T02:30")).toBe("2026-10-25T01:30:00.000Z");
    expect(instantIn("Europe/Berlin", "2026-03-29T02:30")).toBe("2026-03-29T01:30:00.000Z");
  });
  it("has its own days", () => {
    expect(dayIn("Asia/Tokyo", Date.parse("2026-12-31T16:00:00Z"))).toBe("2027-01-01");
    expect(dayIn("America/Los_Angeles", Date.parse("2027-01-01T07:59:00Z"))).toBe("2026-12-31");
  });
  it("knows no time that is none", () => {
    expect(instantIn("UTC", "")).toBeNull();
    expect(instantIn("UTC", "tomorrow")).toBeNull();
    expect(localIn("UTC", null)).toBe("");
  });
});
