/** What differs between two states of something, as lines that people can read. */

export interface Difference {
  field: string;
  before: unknown;
  after: unknown;
}

type Plain = Record<string, unknown>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every leaf that differs, by its dotted name. Lists are leaves: they are compared as a whole. */
export function differences(before: unknown, after: unknown, under = ""): Difference[] {
  if (isPlain(before) || isPlain(after)) {
    const left = isPlain(before) ? before : {};
    const right = isPlain(after) ? after : {};
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
      differences(left[key], right[key], under === "" ? key : `${under}.${key}`),
    );
  }
  if (JSON.stringify(before ?? null) === JSON.stringify(after ?? null)) return [];
  return [{ field: under, before: before ?? null, after: after ?? null }];
}

/** A member of a list as words: the record of a row is its values. */
function wordOf(member: unknown): string {
  if (!isPlain(member)) return typeof member === "string" ? member : JSON.stringify(member);
  return Object.values(member)
    .filter((value) => value !== null)
    .map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value)))
    .join(" ");
}

/** Of two lists: what came, what went. Null when one of both is no list. */
export function listChange(before: unknown, after: unknown): { added: string[]; removed: string[] } | null {
  const left = before ?? [];
  const right = after ?? [];
  if (!Array.isArray(left) || !Array.isArray(right)) return null;
  const [gone, come] = [left.map(wordOf), right.map(wordOf)];
  return { added: come.filter((each) => !gone.includes(each)), removed: gone.filter((each) => !come.includes(each)) };
}
