/** The two things of ours that pages with `require-trusted-types-for 'script'` let through only by a policy. */

interface Policy {
  createHTML(markup: string): string;
  createScriptURL(url: string): string;
}
interface Types {
  createPolicy(name: string, rules: Policy): Policy;
}

const AS_IS: Policy = { createHTML: (markup) => markup, createScriptURL: (url) => url };
let policy: Policy = AS_IS;
try {
  policy = (window as unknown as { trustedTypes?: Types }).trustedTypes?.createPolicy("pointsman", AS_IS) ?? AS_IS;
} catch {
  // the page lets no policy of this name in; the browser says which line is missing
}

/** An empty document in standards mode: without `srcdoc` it would be in quirks mode. */
export function emptyDocument(frame: HTMLIFrameElement): void {
  frame.srcdoc = policy.createHTML("<!doctype html>");
}

/** A script for a document, by an address of ours. */
export function scriptOf(place: Document, url: string, nonce: string): HTMLScriptElement {
  const script = place.createElement("script");
  script.type = "module";
  script.nonce = nonce;
  script.src = policy.createScriptURL(url);
  return script;
}
