/** Files that the server makes: read piece by piece, so that big ones can be watched and stopped. */

import { Problem, api } from "../api";

export interface Progress {
  bytes: number;
  /** lines of text so far, and about how many there will be; null: it is not said */
  rows: number;
  of: number | null;
  /** of all of it, 0 to 1; null: nobody knows how much there will be */
  share: number | null;
}

export interface Downloaded {
  blob: Blob;
  name: string;
}

const LINE_END = 10;

/** How far it is. Pure. */
export function progressOf(bytes: number, lines: number, length: number | null, of: number | null): Progress {
  const rows = Math.max(0, lines - 1); // the head is no row
  const share = length !== null && length > 0 ? bytes / length : of === null ? null : of === 0 ? 1 : rows / of;
  return { bytes, rows, of, share: share === null ? null : Math.min(1, share) };
}

/** The name that the server gave it. Pure. */
export function nameOf(disposition: string | null, otherwise: string): string {
  return /filename="([^"/\\]+)"/.exec(disposition ?? "")?.[1] ?? otherwise;
}

/** Throws `Problem`: refused, or `interrupted` when it broke off; an AbortError when it was stopped. */
export async function download(path: string, signal: AbortSignal, tell: (progress: Progress) => void): Promise<Downloaded> {
  const answer = await api.open(path, signal);
  const text = answer.headers.get("content-type")?.startsWith("text/") ?? false;
  const given = (name: string): number | null => {
    const value = answer.headers.get(name);
    return value === null ? null : Number(value);
  };
  const length = text ? null : given("content-length");
  const of = given("pointsman-rows");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let lines = 0;
  tell(progressOf(0, 0, length, of));
  try {
    const reader = (answer.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      bytes += part.value.byteLength;
      if (text) for (const byte of part.value) if (byte === LINE_END) lines += 1;
      tell(progressOf(bytes, lines, length, of));
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new Problem(0, "interrupted", String(error));
  }
  const type = answer.headers.get("content-type") ?? "application/octet-stream";
  return { blob: new Blob(parts, { type }), name: nameOf(answer.headers.get("content-disposition"), "pointsman") };
}

/** Hands a file to the browser, to be kept. */
export function keep({ blob, name }: Downloaded): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
