/** Quick replies by shelf, and as a table: what a file says, where its faults are, and a file to save. */

import type { QuickReply } from "./quickMatch";
import type { FieldFault } from "./settingsFaults";

export interface LineFault {
  line: number;
  /** shortcut, title, text, folder; or `table`, when it is no table at all */
  column: string;
  problem: string;
}

/** `line.3.text` is the column `text` of line 3. */
export function lineFaults(faults: readonly FieldFault[]): LineFault[] {
  return faults.flatMap(({ field, problem }) => {
    const found = /^line\.(\d+)\.(\w+)$/.exec(field);
    return found === null ? [] : [{ line: Number(found[1]), column: found[2] as string, problem }];
  });
}

/** Whose quick replies, as one word: `shop`, `own`, `group:<id>`. */
export function shelfOf(whose: QuickReply["whose"], group: string | null): string {
  return group === null ? whose : `group:${group}`;
}

/** The same as the server takes it. */
export function shelfNamed(shelf: string): { whose: string; group_id: string | null } {
  const [whose, group] = shelf.split(":");
  return { whose: whose as string, group_id: group ?? null };
}

/** What a file says. Spreadsheets in China write GB 18030 where they are not told otherwise. */
export function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("gb18030").decode(bytes);
  }
}

/** With a mark of its encoding, which spreadsheets need. */
export function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
