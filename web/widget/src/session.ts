/** Where the session of a shop is kept: the loader looks whether there is one, the panel writes it. */
export function sessionKey(shop: string): string {
  return `pointsman:${shop}:session`;
}
