/** Questions on top of the page: before something unsaved is thrown away, and before what cannot be taken back. */

import { useI18n } from "vue-i18n";
import { ElMessageBox } from "../parts/settings/dialogs";

async function agreed(title: string, question: string, yes: string, no: string): Promise<boolean> {
  try {
    await ElMessageBox.confirm(question, title, { confirmButtonText: yes, cancelButtonText: no, type: "warning" });
    return true;
  } catch {
    return false;
  }
}

/** True: throw it away. */
export function useLeaving(): () => Promise<boolean> {
  const { t } = useI18n();
  return () =>
    agreed(t("settings.frame.unsaved"), t("shell.common.unsaved"), t("settings.frame.leave"), t("settings.frame.stay"));
}

/** True: do it. `act` names what is done, on the button as well as above the question. */
export function useAsking(): (act: string, question: string) => Promise<boolean> {
  const { t } = useI18n();
  return (act, question) => agreed(act, question, act, t("shell.common.cancel"));
}
