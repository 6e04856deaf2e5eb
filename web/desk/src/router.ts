/** The desk's addresses. What each needs of the person's rights is said here, and nowhere else. */

import { createRouter, createWebHistory } from "vue-router";
import { api } from "./api";
import { PAGES } from "./state/settingsPages";
import NotHere from "./views/NotHere.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** the rights of which one is enough to be offered the page; none: nobody is */
    rights?: readonly string[];
    /** key of its name */
    title: string;
    open?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory("/desk/"),
  routes: [
    { path: "/", redirect: "/work" },
    { path: "/sign-in", component: () => import("./views/SignIn.vue"), meta: { title: "shell.sign_in.title", open: true } },
    {
      path: "/link/:link",
      component: () => import("./views/SignInLink.vue"),
      meta: { title: "shell.sign_in.title", open: true },
    },
    {
      path: "/work/:conversation?",
      component: () => import("./views/Workbench.vue"),
      meta: { title: "shell.nav.work", rights: ["conversation.view"] },
    },
    { path: "/wall", component: () => import("./views/Wall.vue"), meta: { title: "shell.nav.wall", rights: ["conversation.watch"] } },
    {
      path: "/customers",
      component: () => import("./views/Customers.vue"),
      meta: { title: "shell.nav.customers", rights: ["customer.view"] },
    },
    { path: "/reports", component: () => import("./views/Reports.vue"), meta: { title: "shell.nav.reports", rights: ["report.view"] } },
    {
      path: "/settings/:page?",
      component: () => import("./views/Settings.vue"),
      meta: { title: "shell.nav.settings", rights: PAGES.flatMap((page) => page.rights) },
    },
    { path: "/:lost(.*)*", component: NotHere, meta: { title: "first.lost" } },
    { path: "/me", component: () => import("./views/Me.vue"), meta: { title: "me.title" } },
  ],
});

router.beforeEach((to) => {
  if (to.meta.open || api.account !== null) return true;
  return { path: "/sign-in", query: { next: to.fullPath } };
});
