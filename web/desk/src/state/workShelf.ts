/** Small things kept in this browser, each under a key of its own: two tabs that write do not undo each other's. */

export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export class Shelf<T> {
  constructor(
    private readonly key: string,
    private readonly store: Store,
  ) {}

  /** Everything, by name; what cannot be read is left out. */
  all(): [string, T][] {
    const names = Array.from({ length: this.store.length }, (_, at) => this.nameOf(this.store.key(at)));
    return names.flatMap((name) => {
      const value = name === null ? null : this.get(name);
      return value === null || name === null ? [] : [[name, value] as [string, T]];
    });
  }

  get(name: string): T | null {
    try {
      return JSON.parse(this.store.getItem(`${this.key}:${name}`) ?? "null") as T | null;
    } catch {
      return null;
    }
  }

  has(name: string): boolean {
    return this.store.getItem(`${this.key}:${name}`) !== null;
  }

  /** A full store keeps nothing: then it lives as long as the tab. */
  put(name: string, value: T): void {
    try {
      this.store.setItem(`${this.key}:${name}`, JSON.stringify(value));
    } catch {
      this.drop(name);
    }
  }

  drop(name: string): void {
    this.store.removeItem(`${this.key}:${name}`);
  }

  /** The name within this shelf; null for a key that is none of it. */
  nameOf(key: string | null): string | null {
    return key !== null && key.startsWith(`${this.key}:`) ? key.slice(this.key.length + 1) : null;
  }
}
