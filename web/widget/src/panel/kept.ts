/** What the browser keeps for the shop's page; a page without storage keeps nothing. */

export function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return; // without storage the conversation lasts as long as the page
  }
}
