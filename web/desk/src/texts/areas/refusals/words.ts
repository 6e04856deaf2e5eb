/** Which refusals have words: every reason of the server that a person can meet, or the build fails. */

import type { PersonReason } from "@pointsman/shared";

/** What the desk itself says of a refusal: it has no connection, or does not know the reason. */
type OwnReason = "not_connected" | "connection_lost" | "no_reply" | "unreachable" | "unknown";

export type Words = Record<PersonReason | OwnReason, string>;
