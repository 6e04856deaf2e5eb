/** The pages of the settings, each with the rights of which one is enough to see it. */

import type { Component } from "vue";

export interface SettingsPage {
  name: string;
  section: "service" | "people" | "connect" | "watch";
  rights: string[];
  load: () => Promise<{ default: Component }>;
}

export const PAGES: SettingsPage[] = [
  { name: "routing", section: "service", rights: ["settings.view"], load: () => import("../parts/settings/RoutingPage.vue") },
  { name: "workbench", section: "service", rights: ["settings.view"], load: () => import("../parts/settings/WorkbenchPage.vue") },
  {
    name: "quick_replies",
    section: "service",
    rights: ["quick_reply.edit"],
    load: () => import("../parts/settings/QuickRepliesPage.vue"),
  },
  { name: "rules", section: "service", rights: ["rule.manage"], load: () => import("../parts/settings/RulesPage.vue") },
  {
    name: "collaboration",
    section: "service",
    rights: ["settings.view"],
    load: () => import("../parts/settings/CollaborationPage.vue"),
  },
  { name: "endings", section: "service", rights: ["settings.view"], load: () => import("../parts/settings/EndingsPage.vue") },
  { name: "files", section: "service", rights: ["settings.view"], load: () => import("../parts/settings/FilesPage.vue") },
  { name: "groups", section: "people", rights: ["settings.view"], load: () => import("../parts/settings/GroupsPage.vue") },
  {
    name: "accounts",
    section: "people",
    rights: ["account.manage", "agent.manage"],
    load: () => import("../parts/settings/AccountsPage.vue"),
  },
  { name: "roles", section: "people", rights: ["role.manage"], load: () => import("../parts/settings/RolesPage.vue") },
  { name: "schedules", section: "people", rights: ["agent.manage"], load: () => import("../parts/settings/SchedulesPage.vue") },
  { name: "holidays", section: "people", rights: ["settings.view"], load: () => import("../parts/settings/HolidaysPage.vue") },
  { name: "widget", section: "connect", rights: ["settings.view"], load: () => import("../parts/settings/WidgetPage.vue") },
  { name: "keys", section: "connect", rights: ["integration.manage"], load: () => import("../parts/settings/ApiKeysPage.vue") },
  {
    name: "configuration",
    section: "connect",
    rights: ["settings.view"],
    load: () => import("../parts/settings/ConfigurationPage.vue"),
  },
  { name: "wall", section: "watch", rights: ["settings.view"], load: () => import("../parts/settings/WallPage.vue") },
  { name: "audit", section: "watch", rights: ["audit.view"], load: () => import("../parts/settings/AuditPage.vue") },
];

export function pagesFor(may: (right: string) => boolean): SettingsPage[] {
  return PAGES.filter((page) => page.rights.some(may));
}
