/** The HTTP side of the server: sign-in, and everything that is no live matter. Refusals are `Problem`s. */

import { Refused } from "@pointsman/shared";

const KEY = "pointsman:sign-in";

/** Who changed something since it was read, and when. */
export interface Faster {
  by: string;
  by_id: string;
  at: string;
}

/** A refused request, as the server's problem document says it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    /** per field: what is wrong */
    readonly errors: { field: string; problem: string; line?: number }[] = [],
    /** with `stale_rev`, where it is known */
    readonly meanwhile: Faster | null = null,
  ) {
    super(message);
    this.name = "Problem";
  }
}

export interface SignedIn {
  shop: string;
  access_token: string;
  refresh_token: string;
  account: { id: string; name: string; roles: string[] };
  /** this tab's alone */
  tab: boolean;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * One sign-in, refreshed when its access token is over. By password it is this browser's, shared by its tabs; by a
 * one-time link it is this tab's, so that several people can be tried side by side.
 */
export class Api {
  private signedIn: SignedIn | null = restored();
  private refreshing: Promise<undefined> | null = null;

  get account(): SignedIn["account"] | null {
    return this.signedIn?.account ?? null;
  }

  get shop(): string {
    return this.signedIn?.shop ?? "";
  }

  async signIn(shop: string, email: string, password: string): Promise<void> {
    const given = await this.plain("POST", "/v1/auth/login", { shop, email, password });
    this.keep({ ...(given as Omit<SignedIn, "shop" | "tab">), shop, tab: false });
  }

  /** With the one-time link that `make run` prints. */
  async signInByLink(link: string): Promise<void> {
    const given = (await this.plain("POST", "/v1/auth/links", { link })) as SignedIn;
    this.keep({ ...given, tab: true });
  }

  async signOut(): Promise<void> {
    const before = this.signedIn;
    this.keep(null);
    if (before) await this.plain("POST", "/v1/auth/logout", { refresh_token: before.refresh_token }).catch(() => null);
  }

  /** Whether another tab has just ended this sign-in. */
  endedBy(event: Pick<StorageEvent, "key" | "newValue">): boolean {
    return event.key === KEY && event.newValue === null && this.signedIn !== null && !this.signedIn.tab;
  }

  /** One request as the signed-in account; its JSON, its text if it is text, null when it has neither. Throws `Problem`. */
  async ask<T = unknown>(method: Method, path: string, body?: unknown): Promise<T> {
    return (await this.signed((token) => this.plain(method, path, body, token))) as T;
  }

  /** The answer itself, for what is read piece by piece. Throws `Problem`. */
  async open(path: string, signal: AbortSignal): Promise<Response> {
    return await this.signed((token) => this.answer("GET", path, undefined, token, signal));
  }

  /** With a fresh token when the one at hand is over. */
  private async signed<T>(ask: (token: string | undefined) => Promise<T>): Promise<T> {
    try {
      return await ask(this.signedIn?.access_token);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || !this.signedIn) throw error;
    }
    await this.refresh();
    return await ask(this.signedIn?.access_token);
  }

  /** A ticket for the socket, as the client asks for it. */
  async ticket(): Promise<string> {
    try {
      return (await this.ask<{ ticket: string }>("POST", "/v1/tickets")).ticket;
    } catch (error) {
      if (error instanceof Problem) {
        const again = error.status === 429 || error.status >= 500 || error.status === 0;
        throw new Refused(again ? 1050 : 1001, error.reason, error.message, again);
      }
      throw error;
    }
  }

  private async refresh(): Promise<void> {
    this.refreshing ??= navigator.locks
      .request("pointsman:refresh", async () => {
        const before = this.signedIn as SignedIn;
        const kept = restored();
        if (kept !== null && !before.tab && kept.refresh_token !== before.refresh_token) {
          this.signedIn = kept; // another tab was faster; a refresh token works once
          return undefined;
        }
        try {
          const fresh = await this.plain("POST", "/v1/auth/refresh", { refresh_token: before.refresh_token });
          this.keep({ ...before, ...(fresh as Pick<SignedIn, "access_token" | "refresh_token">) });
        } catch (error) {
          if (error instanceof Problem && error.status === 401) this.keep(null);
          throw error;
        }
        return undefined;
      })
      .then(() => undefined)
      .finally(() => {
        this.refreshing = null;
      });
    await this.refreshing;
  }

  private async plain(method: Method, path: string, body?: unknown, token?: string): Promise<unknown> {
    const answer = await this.answer(method, path, body, token);
    if (answer.status === 204) return null;
    // A table is no JSON, nor is a file of settings.
    if (/^(text\/|application\/yaml)/.test(answer.headers.get("Content-Type") ?? "")) return await answer.text();
    return await answer.json().catch(() => null);
  }

  private async answer(method: Method, path: string, body?: unknown, token?: string, signal?: AbortSignal): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(path, {
        method,
        headers: {
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch {
      signal?.throwIfAborted();
      throw new Problem(0, "unreachable", "The server does not answer.");
    }
    if (answer.ok) return answer;
    const document: unknown = await answer.json().catch(() => null);
    const problem = (document ?? {}) as Partial<Pick<Problem, "reason" | "errors" | "meanwhile">> & { detail?: string };
    throw new Problem(
      answer.status,
      problem.reason ?? "unknown",
      problem.detail ?? `HTTP ${answer.status}`,
      problem.errors ?? [],
      problem.meanwhile ?? null,
    );
  }

  private keep(signedIn: SignedIn | null): void {
    const store = (signedIn ?? this.signedIn)?.tab ? sessionStorage : localStorage;
    this.signedIn = signedIn;
    if (signedIn) store.setItem(KEY, JSON.stringify(signedIn));
    else store.removeItem(KEY);
  }
}

function restored(): SignedIn | null {
  const kept = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  try {
    return kept === null ? null : (JSON.parse(kept) as SignedIn);
  } catch {
    return null;
  }
}

export const api = new Api();
