/** How records of the audit are said: who, what was done, to what. For the audit log and for the history of each page. */

import { useI18n } from "vue-i18n";
import { refusalKey } from "./refusals";
import { usePeople } from "./settingsPeople";
import { fieldName } from "./settingsRouting";

/** What of a record is said; the audit's has more. */
export interface Told {
  actor_kind: string;
  actor_id: string;
  actor_name: string;
  action: string;
  subject_id: string;
}

export function useAuditWords() {
  const { t, te } = useI18n();
  const people = usePeople();
  const word = (key: string): string | null => (te(key) ? t(key) : null);

  return {
    who(record: Told): string {
      const nobody = ["cli", "system", "unknown"].includes(record.actor_kind);
      return (nobody ? "" : record.actor_name) || (word(`settings.audit.actor.${record.actor_kind}`) ?? record.actor_kind);
    },
    /** `groups.added` in words, where there are some for both of its parts; a request, by the `right` that it needs. */
    done(action: string, right = ""): string | null {
      const [thing = "", deed = ""] = action.split(".");
      const whole = word(`settings.audit.deed.${action.replace(/\W/g, "_")}`);
      const [of, what] = [word(`settings.audit.thing.${thing}`), word(`settings.audit.deed.${deed}`)];
      const tried = right === "" ? null : word(`settings.right.${right.replace(".", "_")}`);
      if (whole === null && tried !== null) return t("settings.audit.tried", { what: tried });
      return whole ?? (of !== null && what !== null ? t("settings.audit.did", { of, what }) : null);
    },
    /** Why: of what was refused, the server's reason in words. */
    why: (record: { outcome: string; reason: string }): string =>
      record.outcome === "refused" ? t(refusalKey(record.reason, 0), { reason: record.reason }) : record.reason,
    /** What it was done to, where that has a name; ids stand inside. */
    subject(record: Told): string {
      const name = word(`settings.value.${record.subject_id}`) ?? people.nameOf(record.subject_id);
      return /^[0-9a-f-]{36}$/.test(name) || record.subject_id === record.actor_id ? "" : name;
    },
    named: (field: string): string => fieldName(field, word),
  };
}
