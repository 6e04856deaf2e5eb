/** Sends the bytes of a file to the place that the server gave. Throws what is wrong, in words. */
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
      let why = `HTTP ${request.status}`;
      try {
        why = (JSON.parse(request.responseText) as { detail?: string }).detail ?? why;
      } catch {
        // not a problem document; the status is all there is
      }
      reject(new Error(why));
    };
    request.onerror = () => reject(new Error("No connection."));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.send(file);
  });
}
