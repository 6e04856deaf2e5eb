import { composes } from "./workPace";

export type KeyAct = "next" | "before" | "reply" | "note" | "transfer" | "invite" | "pull" | "slots" | "quote" | "end" | "undo" | "help";

const ACTS: Readonly<Record<string, KeyAct>> = {
  j: "next",
  ArrowDown: "next",
  k: "before",
  ArrowUp: "before",
  r: "reply",
  n: "note",
  t: "transfer",
  i: "invite",
  p: "pull",
  l: "slots",
  q: "quote",
  Escape: "end",
  z: "undo",
  "?": "help",
};

/** Ctrl+K, on a Mac Cmd+K: from everywhere, also while something is being written. */
export function isPalette(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k" && !composes(event);
}

/** What a key means on the workbench. While something is being written only Esc means anything, and while an input
 * method composes not even that. */
export function actOfKey(event: KeyboardEvent): KeyAct | null {
  if (event.defaultPrevented || composes(event) || event.ctrlKey || event.metaKey || event.altKey) return null;
  const act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
  if (act === null || act === "end") return act;
  const target = event.target as Element | null; // the window and the document have no `closest`
  const within = (selector: string): boolean => (target?.closest?.(selector) ?? null) !== null;
  if (within("input, textarea, select, [contenteditable]")) return null;
  if (event.key.startsWith("Arrow") && within("[role=tablist], [role=region]")) return null;
  return act;
}
