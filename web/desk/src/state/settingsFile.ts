/** The file of a shop's settings: what an import would change, what is wrong with it, and a file to save. */

export interface Looked {
  applied: boolean;
  rev: string;
  sections: { section: string; changes: { place: string; before: unknown; after: unknown }[] }[];
}

export interface FileFault {
  field: string;
  problem: string;
  line: number;
}

/** Faults in the order of the file. */
export function fileFaults(errors: readonly { field: string; problem: string; line?: number }[]): FileFault[] {
  return errors.map(({ field, problem, line }) => ({ field, problem, line: line ?? 0 })).sort((one, two) => one.line - two.line);
}

export function sizeOf(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`;
}

export function saveText(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
