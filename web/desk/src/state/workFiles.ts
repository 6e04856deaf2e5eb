/** Addresses of files, asked for once while they hold; and files on their way up. */

import type { Client, LinkResult } from "@pointsman/shared";

const links = new Map<string, Promise<LinkResult>>();
const SPARE_MS = 30_000;

/** Where a file may be had. Throws `Refused`. */
export async function linkOf(ask: Client["ask"], fileId: string): Promise<LinkResult> {
  const kept = links.get(fileId);
  if (kept !== undefined) {
    const link = await kept.catch(() => null);
    if (link !== null && Date.parse(link.expires_at) - SPARE_MS > Date.now()) return link;
  }
  const asked = ask("file.link", { file_id: fileId });
  links.set(fileId, asked);
  asked.catch(() => links.delete(fileId));
  return asked;
}

/** Send the bytes to their place. fetch tells nothing of what was sent so far. */
export function upload(url: string, file: Blob, progress: (percent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.upload.onprogress = (event) => progress(Math.round((event.loaded * 100) / Math.max(1, event.total)));
    request.onload = () => {
      if (request.status < 300) resolve();
      else reject(new Error(problemOf(request.responseText) || `HTTP ${request.status}`));
    };
    request.onerror = () => reject(new Error("The server does not answer."));
    request.send(file);
  });
}

function problemOf(text: string): string {
  try {
    return (JSON.parse(text) as { detail?: string }).detail ?? "";
  } catch {
    return "";
  }
}

export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
