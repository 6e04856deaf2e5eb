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

/** A member of a list as words: a row is what it holds, without the ids that it is known by and what is not so. */
function wordsOf(member: unknown, say: (value: string) => string): string {
  if (typeof member === "string") return say(member);
  if (Array.isArray(member)) return member.map((each) => wordsOf(each, say)).join(", ");
  if (!isPlain(member)) return JSON.stringify(member);
  const { stars_from: least, stars_to: most, ...rest } = member;
  const said = Object.entries(rest)
    .filter(([key, value]) => value !== null && value !== false && value !== "" && !/(^|_)id$/.test(key))
    .map(([key, value]) => (value === true ? say(key) : isPlain(value) ? Object.values(value).join(" / ") : wordsOf(value, say)));
  if (typeof least === "number" && typeof most === "number") said.push(least === most ? `${least} ★` : `${least}–${most} ★`);
  return said.join(" ");
}

/** Of two lists: what came, what went; `say` puts codes and ids into words. Null when one of both is no list. */
export function listChange(
  before: unknown,
  after: unknown,
  say: (value: string) => string = (value) => value,
): { added: string[]; removed: string[] } | null {
  const left = before ?? [];
  const right = after ?? [];
  if (!Array.isArray(left) || !Array.isArray(right)) return null;
  const words = (member: unknown): string => wordsOf(member, say);
  const [gone, come] = [left.map(words), right.map(words)];
  return { added: come.filter((each) => !gone.includes(each)), removed: gone.filter((each) => !come.includes(each)) };
}
