/** How somebody may like the desk: what they are called for and how, how they write. Pure. */

/** What one may want to be called for. */
export const CALLS = ["assigned", "message", "shared", "invited", "mentioned", "slow", "queued", "connection"] as const;
export type Call = (typeof CALLS)[number];
/** `desktop`: a notice of the system, while the page is not looked at. */
export interface Loudness {
  sound: boolean;
  desktop: boolean;
}

export interface Prefs {
  /** ask before a conversation is ended */
  confirmEnd: boolean;
  /** Enter sends; else Ctrl+Enter does */
  enterSends: boolean;
  /** of sounds, in percent */
  volume: number;
  /** desktop notices show what was written */
  showText: boolean;
  calls: Record<Call, Loudness>;
}

const both: Loudness = { sound: true, desktop: true };
const DEFAULTS: Prefs = {
  confirmEnd: true,
  enterSends: true,
  volume: 60,
  showText: true,
  calls: {
    assigned: both,
    message: both,
    shared: { sound: false, desktop: false },
    invited: both,
    mentioned: both,
    slow: { sound: true, desktop: false },
    queued: { sound: false, desktop: false },
    connection: { sound: true, desktop: true },
  },
};

/** What was kept, over what is usual: also when a version of the desk has calls that an earlier one had not. */
export function prefsFrom(text: string | null): Prefs {
  let kept: Partial<Prefs> = {};
  try {
    kept = (JSON.parse(text ?? "{}") as Partial<Prefs> | null) ?? {};
  } catch {
    kept = {};
  }
  const calls = Object.fromEntries(CALLS.map((each) => [each, { ...DEFAULTS.calls[each], ...kept.calls?.[each] }]));
  return { ...DEFAULTS, ...kept, calls: calls as Prefs["calls"] };
}

/** Where the person is: the page is in front of them; and on it what the call is about. */
export interface Where {
  looking: boolean;
  there: boolean;
}

/** How loud a call is. Who sees what it is about need not be called; who sees the page needs no notice of the system. */
export function loudness(liked: Loudness, where: Where): Loudness {
  return { sound: liked.sound && !(where.looking && where.there), desktop: liked.desktop && !where.looking };
}
