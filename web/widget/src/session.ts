/** Where things of a shop are kept in the browser: the loader looks whether there is a session, the panel writes it. */

export function keyOf(shop: string, what: "session" | "whose" | "drafts" | "typed"): string {
  return `pointsman:${shop}:${what}`;
}

/** Somebody else comes to this browser: nothing of who was here stays. */
export function forget(shop: string): void {
  try {
    for (const what of ["session", "whose", "drafts", "typed"] as const) localStorage.removeItem(keyOf(shop, what));
  } catch {
    return; // a page without storage has nothing to forget
  }
}
