/** What the palette offers for what was typed. Pure. */

export interface Entry {
  id: string;
  group: "commands" | "conversations" | "colleagues";
  text: string;
  /** said beside it */
  hint: string;
  /** found by these too */
  words: string;
  /** offered only when something was typed */
  asked: boolean;
  run: () => void;
}

const MOST = 40;

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** How well one term fits: the smaller the better; null: not at all. */
function fit(entry: Entry, term: string): number | null {
  const text = folded(entry.text);
  const at = text.indexOf(term);
  if (at === 0) return 0;
  if (at > 0) return /[\s:：,，]/.test(text[at - 1] as string) ? 1 : 2;
  return folded(`${entry.words} ${entry.hint}`).includes(term) ? 3 : null;
}

/** The entries that hold every typed term, the best first within the order in which they were given. */
export function matching(entries: readonly Entry[], typed: string): Entry[] {
  const terms = folded(typed).split(/\s+/).filter((each) => each !== "");
  if (terms.length === 0) return entries.filter((each) => !each.asked).slice(0, MOST);
  const scored = entries.flatMap((entry, order) => {
    const fits = terms.map((term) => fit(entry, term));
    if (fits.includes(null)) return [];
    return [{ entry, order, score: fits.reduce<number>((sum, each) => sum + (each ?? 0), 0) }];
  });
  scored.sort((a, b) => a.score - b.score || a.order - b.order);
  return scored.slice(0, MOST).map(({ entry }) => entry);
}
