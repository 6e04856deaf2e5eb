/** What a shop puts into its pages to have the widget. */

import type { PreviewLook } from "@pointsman/shared";

export interface Look extends PreviewLook {
  /** the shop's backend signs who the visitor is */
  identity: boolean;
}

export const ACCENT = "#2456d6";

/** As it is without any option. */
export const PLAIN: Look = { language: "", theme: "", accent: ACCENT, position: "right", greeting: "", launcher: true, identity: false };

/** Inside a script nothing may end it: `<` is written as an escape. */
const literal = (value: unknown): string => JSON.stringify(value).replace(/</g, "\\u003c");

/** The stub takes calls until the loader has come; both are asynchronous and hold nothing up. */
export function snippet(server: string, shop: string, look: Look): string {
  const options = [
    `shop: ${literal(shop)}`,
    ...(look.language === "" ? [] : [`language: ${literal(look.language)}`]),
    ...(look.theme === "" ? [] : [`theme: ${literal(look.theme)}`]),
    ...(look.accent === ACCENT ? [] : [`accent: ${literal(look.accent)}`]),
    ...(look.position === "right" ? [] : [`position: ${literal(look.position)}`]),
    ...(look.greeting.trim() === "" ? [] : [`greeting: ${literal(look.greeting.trim())}`]),
    ...(look.launcher ? [] : ["launcher: false"]),
    ...(look.identity ? ["identityToken: \"TOKEN_SIGNED_BY_YOUR_BACKEND\""] : []),
  ];
  return [
    "<script>",
    "  window.pointsman = window.pointsman || function () { (pointsman.q = pointsman.q || []).push(arguments); };",
    `  pointsman("boot", { ${options.join(", ")} });`,
    "</script>",
    `<script async src="${server}/widget/loader.js"></script>`,
    "",
  ].join("\n");
}

/** What a page with a Content-Security-Policy of its own has to allow. */
export function policyLines(server: string): string {
  const socket = server.replace(/^http/, "ws");
  return [`script-src ${server}`, `connect-src ${server} ${socket}`, `img-src ${server}`].join(";\n") + ";\n";
}

/** One address in each line, as browsers send them: scheme, host and port. */
export function originsIn(text: string): string[] {
  const lines = text.split(/[\s,，]+/).map((each) => each.trim().toLowerCase().replace(/\/+$/, ""));
  return [...new Set(lines.filter((each) => each !== ""))];
}
