/** Roles: what each grants, and how far. The table of rights is the server's (`protocol.rights`). */

export const REACHES = ["own", "groups", "all"] as const;
export type Reach = (typeof REACHES)[number];
export type Grants = Record<string, Reach>;

export interface RoleView {
  role: string;
  name: string;
  grants: Grants;
  rev: number;
  built_in: boolean;
  fixed: boolean;
}

/** Rights by what they are about. `shop`: about the shop as a whole, granted whole or not at all. */
export const RIGHTS: Record<"conversation" | "people" | "shop", string[]> = {
  conversation: [
    "conversation.serve",
    "conversation.pull",
    "conversation.transfer",
    "conversation.assign",
    "conversation.invite",
    "conversation.join",
    "conversation.view",
    "conversation.watch",
    "conversation.whisper",
    "conversation.speak",
    "conversation.take_over",
  ],
  people: ["agent.manage", "customer.view", "customer.edit", "customer.assign", "report.view", "quick_reply.edit"],
  shop: [
    "settings.view",
    "routing.manage",
    "rule.manage",
    "account.manage",
    "role.manage",
    "integration.manage",
    "audit.view",
    "server.operate",
  ],
};

export function reachesOf(right: string): readonly Reach[] {
  return RIGHTS.shop.includes(right) ? ["all"] : REACHES;
}

/** `grants` with one right at another reach; `none` takes it away. The order of rights is kept, so equal is equal. */
export function granted(grants: Grants, right: string, reach: Reach | "none"): Grants {
  const next: Grants = { ...grants };
  delete next[right];
  if (reach !== "none") next[right] = reach;
  return inOrder(next);
}

const ORDER = Object.values(RIGHTS).flat();

export function inOrder(grants: Grants): Grants {
  const place = (right: string): number => (ORDER.includes(right) ? ORDER.indexOf(right) : ORDER.length);
  return Object.fromEntries(Object.entries(grants).sort(([one], [two]) => place(one) - place(two)));
}

/** As the shop calls it, else in the person's language, else by its own name. */
export function roleName(role: string, roles: readonly RoleView[], word: (key: string) => string | null): string {
  const own = roles.find((each) => each.role === role)?.name;
  return own || word(`settings.role.${role}`) || role;
}
