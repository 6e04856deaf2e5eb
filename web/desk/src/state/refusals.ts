/** Why something was refused, in words of the reader's language; never the server's own sentence. */

import { Refused } from "@pointsman/shared";
import { Problem } from "../api";
import { i18n } from "../texts";

const global = i18n.global;

/** Words for a whole class of refusals, by the code of the socket and by the status of HTTP. */
const CLASSES: Readonly<Record<number, string>> = {
  1001: "token_invalid",
  1003: "forbidden",
  1004: "not_found",
  1009: "stale_rev",
  1011: "stale_assignment",
  1029: "too_fast",
  1050: "deadline",
  1051: "commit_unknown",
  0: "unreachable",
  401: "token_invalid",
  403: "forbidden",
  404: "not_found",
  409: "stale_rev",
  413: "body_too_large",
  422: "invalid",
  429: "too_fast",
  500: "internal",
  503: "deadline",
};

/** The key of the words for a refusal. */
export function refusalKey(reason: string, code: number): string {
  // "unknown" says nothing, as when something between here and the server answered.
  const told = reason === "unknown" ? undefined : reason;
  const key = [told, CLASSES[code], code >= 500 && code < 600 ? "deadline" : undefined].find((each) => each !== undefined && global.te(`refusals.${each}`, "en"));
  return `refusals.${key ?? "unknown"}`;
}

/** Why a request failed. What is no refusal is a fault of this program: it is logged, and said to be one. */
export function whyOf(error: unknown): string {
  if (error instanceof Refused) return global.t(refusalKey(error.reason, error.code), { reason: error.reason });
  if (error instanceof Problem) return global.t(refusalKey(error.reason, error.status), { reason: error.reason });
  console.error(error);
  return global.t("refusals.unknown", { reason: error instanceof Error ? error.name : "?" });
}
