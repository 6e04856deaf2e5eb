/** Who is here, as the server is asked for it before every connection. */

import { Refused } from "@pointsman/shared";
import { signal } from "@preact/signals";
import type { Host } from "../api";
import { forget, keyOf } from "../session";
import { read, write } from "./kept";

export class Tickets {
  /** why the server lets nobody in from here */
  readonly refusal = signal<string | null>(null);
  private identityToken: string | null;
  private gone = false;

  /** `forgotten`: another customer's things were put away. */
  constructor(
    private readonly host: Host,
    private readonly forgotten: () => void,
  ) {
    this.identityToken = host.identityToken;
  }

  /** A word of the shop's that the server has not heard yet. */
  get news(): boolean {
    return this.identityToken !== null;
  }

  stop(): void {
    this.gone = true;
  }

  /**
   * A ticket for whoever is here: by the session kept in this browser, and by the shop's word if it has given one. That
   * word works once; afterwards the session stands for it. Another customer's session is forgotten first.
   */
  async next(): Promise<string> {
    const { shop } = this.host.options;
    const { identityToken } = this;
    const subject = identityToken === null ? null : subjectOf(identityToken);
    const whose = read(keyOf(shop, "whose"));
    if (subject !== null && whose !== null && whose !== subject) {
      forget(shop);
      this.forgotten();
    }
    const kept = read(keyOf(shop, "session"));
    let answer = await this.begin(kept, identityToken);
    if (answer.status === 401 && identityToken !== null && whose === subject && kept !== null) {
      answer = await this.begin(kept, null); // used before or too old, and the session is of the same customer
    }
    if (answer.status === 401 && kept !== null) {
      forget(shop); // over; a new one begins
      answer = await this.begin(null, identityToken);
    }
    if (answer.ok) {
      const given = (await answer.json()) as { session_token: string; ticket: string; identity: string };
      if (this.gone) throw new Refused(1001, "left", "Left.", false);
      write(keyOf(shop, "session"), given.session_token);
      if (subject !== null && given.identity === "accepted") write(keyOf(shop, "whose"), subject);
      if (identityToken === this.identityToken) this.identityToken = null;
      return given.ticket;
    }
    const problem = (await answer.json().catch(() => ({}))) as {
      detail?: string;
      reason?: string;
      retry_after_ms?: number;
    };
    const again = answer.status === 429 || answer.status >= 500;
    const reason = problem.reason ?? "refused";
    if (!again) this.turnedAway(reason, problem.detail ?? `HTTP ${answer.status}`);
    throw new Refused(again ? 1050 : 1001, reason, problem.detail ?? "", again, problem.retry_after_ms);
  }

  /** Coming again would end the same way. The page's maker is told why; the visitor, what it means for them. */
  private turnedAway(reason: string, detail: string): void {
    this.refusal.value = reason;
    const why = reason === "origin_not_allowed" ? `${origin} is not on the shop's list of widget origins` : detail;
    console.error(`pointsman: ${why} (${reason}).`);
    this.host.emit("error", { reason });
  }

  /** A new word of the shop's. False: about somebody else than the session is of. */
  isStill(identityToken: string): boolean {
    if (subjectOf(identityToken) !== read(keyOf(this.host.options.shop, "whose"))) return false;
    this.identityToken = identityToken;
    return true;
  }

  private async begin(session: string | null, identity: string | null): Promise<Response> {
    try {
      return await fetch(`${this.host.server}/v1/widget/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          shop: this.host.options.shop,
          ...(session === null ? {} : { session_token: session }),
          ...(identity === null ? {} : { identity_token: identity }),
        }),
      });
    } catch {
      throw new Refused(1050, "unreachable", "No connection.", true);
    }
  }
}

/** Of whom an identity token speaks; the server checks the rest of it. */
function subjectOf(token: string): string | null {
  try {
    const claims = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    return String((JSON.parse(atob(claims)) as { sub: unknown }).sub);
  } catch {
    return null;
  }
}
