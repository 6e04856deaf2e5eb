/** Which quick replies somebody means by what they typed after a `/`. Pure. */

export interface QuickReply {
  id: string;
  whose: "shop" | "group" | "own";
  group_id: string | null;
  /** a path: `售后/退款` */
  folder: string;
  shortcut: string;
  title: string;
  text: string;
  /** of the title: syllables with a space between them */
  pinyin: string;
  initials: string;
  editable: boolean;
  rev: number;
  changed_at: string | null;
}

/** Where a quick reply is being looked for in a text: the place of its `/`, and what follows it. */
export interface Sought {
  from: number;
  query: string;
}

/**
 * The `/` that is being typed at `at`: at the beginning, or after a space; null when there is none. Chinese input methods
 * make `、` or `／` of that key.
 */
export function quickAt(text: string, at: number): Sought | null {
  const found = /(?:^|\s)[/／、]([^\s/／、]{0,30})$/u.exec(text.slice(0, at));
  return found === null ? null : { from: at - (found[1] as string).length - 1, query: found[1] as string };
}

/** `fh`, `fahuo`, `fhuo`: each syllable from `from` on gives some of its first letters, until the query is used up. */
function spells(syllables: readonly string[], from: number, query: string): boolean {
  if (query === "") return true;
  const syllable = syllables[from];
  if (syllable === undefined) return false;
  for (let most = Math.min(syllable.length, query.length); most > 0; most -= 1) {
    if (syllable.startsWith(query.slice(0, most)) && spells(syllables, from + 1, query.slice(most))) return true;
  }
  return false;
}

/** How well a reply fits; 0: not at all. */
export function fits(reply: QuickReply, query: string): number {
  const syllables = reply.pinyin.split(" ");
  const title = reply.title.toLowerCase();
  if (reply.shortcut === query) return 100;
  if (reply.shortcut.startsWith(query)) return 90;
  if (reply.initials === query) return 85;
  if (reply.initials.startsWith(query)) return 80;
  if (title.startsWith(query)) return 75;
  if (spells(syllables, 0, query)) return 70;
  if (title.includes(query)) return 60;
  if (/^[\x20-\x7e]$/.test(query)) return 0; // one letter is somewhere in every text
  if (syllables.some((_, from) => spells(syllables, from, query))) return 50;
  if (reply.folder.toLowerCase().includes(query)) return 30;
  if (reply.text.toLowerCase().includes(query)) return 20;
  return 0;
}

/**
 * The best first; of equally good ones those used last (`recent`, the latest first), then as the server orders them: own,
 * groups', the shop's. An empty query finds everything. An input method's apostrophes (`fa'huo`) are no letters.
 */
export function matching(replies: readonly QuickReply[], typed: string, recent: readonly string[], most: number): QuickReply[] {
  const query = typed.toLowerCase().replaceAll("'", "");
  const used = new Map(recent.map((id, at): [string, number] => [id, at]));
  const place = (id: string): number => used.get(id) ?? recent.length;
  return replies
    .map((reply, at) => ({ reply, at, fit: query === "" ? 1 : fits(reply, query) }))
    .filter((each) => each.fit > 0)
    .sort((a, b) => b.fit - a.fit || place(a.reply.id) - place(b.reply.id) || a.at - b.at)
    .slice(0, most)
    .map((each) => each.reply);
}
