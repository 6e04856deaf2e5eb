/** Variables of quick replies: filled in from the conversation, and found where they still stand. Pure. */

import { type Conversation, VARIABLES } from "@pointsman/shared";

export type Variable = (typeof VARIABLES)[number];
/** A variable in a text, and where it stands. */
export interface Standing {
  name: Variable;
  from: number;
  to: number;
}

const IN_BRACES = /\{([a-z_]{1,32})\}/g;

function isVariable(name: string): name is Variable {
  return (VARIABLES as readonly string[]).includes(name);
}

/** What a conversation says; empty: it does not. `stateWord`: an order state in the customer's words. */
export function valuesOf(
  conversation: Pick<Conversation, "order_id" | "order_state"> & { customer: { name: string } },
  agent: string,
  shop: string,
  stateWord: (state: string) => string,
): Record<Variable, string> {
  const ordered = conversation.order_id !== null;
  return {
    customer: conversation.customer.name,
    agent,
    order_id: conversation.order_id ?? "",
    order_state: ordered ? stateWord(conversation.order_state) : "",
    shop,
  };
}

/** What is known in the place of its variable; what is not stays as it is written. */
export function filled(text: string, values: Readonly<Record<Variable, string>>): string {
  return text.replace(IN_BRACES, (found: string, name: string) => (isVariable(name) && values[name]) || found);
}

/** The variables that stand in a text, in its order. */
export function standing(text: string): Standing[] {
  return [...text.matchAll(IN_BRACES)].flatMap((found) => {
    const name = found[1] as string;
    return isVariable(name) ? [{ name, from: found.index, to: found.index + found[0].length }] : [];
  });
}
