import { ErrorCode, Refused } from "@pointsman/shared";

/** Sends the bytes of a file to the place that the server gave. Throws `Refused`. */
export function upload(url: string, file: File, progress: (percent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of what was sent so far
    request.open("PUT", url);
    request.upload.onprogress = (event) => progress(Math.round((event.loaded * 100) / Math.max(1, event.total)));
    request.onload = () => {
      if (request.status < 300) {
        resolve();
        return;
      }
      let problem: { reason?: string; detail?: string } = {};
      try {
        problem = JSON.parse(request.responseText) as typeof problem;
      } catch {
        // not a problem document; the status is all there is
      }
      const said = problem.detail ?? `HTTP ${request.status}`;
      reject(new Refused(ErrorCode.INVALID_STATE, problem.reason ?? "failed", said, false));
    };
    request.onerror = () => reject(new Refused(ErrorCode.UNAVAILABLE, "not_connected", "No connection.", true));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.send(file);
  });
}
