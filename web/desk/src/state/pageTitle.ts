/** The title of the browser's tab: how much is unread, which page, whose desk. */

import { computed, watchEffect } from "vue";
import { useRoute } from "vue-router";
import { i18n } from "../texts";
import { useSession } from "./session";
import { unreadInAll } from "./workLists";

const MOST = 99;

/** `(3) Conversations · Pointsman`. */
export function titleOf(page: string, unread: number): string {
  const count = unread > MOST ? `(${MOST}+) ` : unread > 0 ? `(${unread}) ` : "";
  return `${count}${page} · Pointsman`;
}

/** Keep the title true as long as the page lives. */
export function usePageTitle(): void {
  const route = useRoute();
  const session = useSession();
  const { t } = i18n.global;
  const unread = computed(() => (session.me === null ? 0 : unreadInAll(session.view, session.myId)));
  watchEffect(() => {
    const title = route.meta.title;
    document.title = title === undefined ? "Pointsman" : titleOf(t(title), unread.value);
  });
}
