/** What becomes of two people's changes of the same thing. Pure. */

type Plain = Record<string, unknown>;

/** Members that say from what something was made; nobody edits them. */
const REVISIONS = new Set(["rev", "revs", "warnings"]);

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/**
 * What holds now with one's own changes in it: `base` is from what both were made. Where both changed the same, one's own
 * holds; a list is one thing.
 */
export function merged<T>(base: T, mine: T, theirs: T): T {
  if (same(mine, base)) return theirs;
  if (!isPlain(mine) || !isPlain(theirs)) return mine;
  const before: Plain = isPlain(base) ? base : {};
  const keys = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  const both: Plain = {};
  for (const key of keys) {
    if (REVISIONS.has(key)) both[key] = theirs[key];
    else if (!(key in mine) && key in before) continue; // taken out here
    else if (!(key in mine)) both[key] = theirs[key];
    else if (!(key in theirs) && same(mine[key], before[key])) continue; // taken out there
    else both[key] = merged(before[key], mine[key], theirs[key]);
  }
  return both as T;
}

/** Without what nobody edits: for showing what differs. */
export function content(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !REVISIONS.has(key)));
}
