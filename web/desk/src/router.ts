/** The desk's addresses. What each needs of the person's rights is said here, and nowhere else. */

import { createRouter, createWebHistory } from "vue-router";
import { api } from "./api";

declare module "vue-router" {
  interface RouteMeta {
    /** the right without which the page is not offered */
    right?: string;
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
      meta: { title: "shell.nav.work", right: "conversation.view" },
    },
    { path: "/wall", component: () => import("./views/Wall.vue"), meta: { title: "shell.nav.wall", right: "conversation.watch" } },
    {
      path: "/customers",
      component: () => import("./views/Customers.vue"),
      meta: { title: "shell.nav.customers", right: "customer.view" },
    },
    { path: "/reports", component: () => import("./views/Reports.vue"), meta: { title: "shell.nav.reports", right: "report.view" } },
    {
      path: "/settings/:page?",
      component: () => import("./views/Settings.vue"),
      meta: { title: "shell.nav.settings", right: "settings.view" },
    },
    { path: "/me", component: () => import("./views/Me.vue"), meta: { title: "me.title" } },
  ],
});

router.beforeEach((to) => {
  if (to.meta.open || api.account !== null) return true;
  return { path: "/sign-in", query: { next: to.fullPath } };
});
