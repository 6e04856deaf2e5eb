/** Where somebody can go in the desk, in the order of the bar. */

import type { RouteRecordNormalized } from "vue-router";

/** The router keeps its addresses by length. */
const ORDER = ["/work", "/wall", "/customers", "/reports", "/settings"];

export interface Place {
  to: string;
  title: string;
}

export function places(routes: readonly RouteRecordNormalized[], may: (right: string) => boolean): Place[] {
  return routes
    .filter((route) => route.meta.rights?.some(may))
    .map((route) => ({ to: route.path.replace(/\/:.*$/, ""), title: route.meta.title }))
    .sort((a, b) => ORDER.indexOf(a.to) - ORDER.indexOf(b.to));
}
