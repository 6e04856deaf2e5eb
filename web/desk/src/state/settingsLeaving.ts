/** The question before something unsaved would be thrown away. */

import { useI18n } from "vue-i18n";
import { ElMessageBox } from "../parts/settings/dialogs";

/** True: throw it away. */
export function useLeaving(): () => Promise<boolean> {
  const { t } = useI18n();
  return async () => {
    try {
      await ElMessageBox.confirm(t("shell.common.unsaved"), t("settings.frame.unsaved"), {
        confirmButtonText: t("settings.frame.leave"),
        cancelButtonText: t("settings.frame.stay"),
        type: "warning",
      });
      return true;
    } catch {
      return false;
    }
  };
}
