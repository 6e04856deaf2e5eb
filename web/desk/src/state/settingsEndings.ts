/** The settings for the end of conversations as their page edits them. Pure. */

import type { ResultTag } from "@pointsman/shared";

export type Colour = ResultTag["colour"];
export type Language = "zh-CN" | "en" | "zh-TW";

export interface TagSetting {
  tag_id: string;
  name: string;
  colour: Colour;
  archived: boolean;
}

export interface ReasonSetting {
  reason_id: string;
  texts: Partial<Record<Language, string>>;
  stars_from: number;
  stars_to: number;
  archived: boolean;
}

export interface Endings {
  result_tags: TagSetting[];
  result_tag_required: boolean;
  undo_s: number;
  rating_reasons: ReasonSetting[];
  rating_correct_s: number;
  rev: string;
}

export const COLOURS: Colour[] = ["grey", "blue", "teal", "green", "yellow", "orange", "red", "purple"];
export const LANGUAGES: Language[] = ["zh-CN", "en", "zh-TW"];

/** Something of a list one place up or down; at its end it stays. */
export function moved<T>(list: readonly T[], at: number, by: -1 | 1): T[] {
  const to = at + by;
  if (to < 0 || to >= list.length) return [...list];
  const next = [...list];
  next.splice(to, 0, ...next.splice(at, 1));
  return next;
}

/** What is sent: words without what surrounds them, and no language that says nothing. */
export function written(endings: Endings): Endings {
  return {
    ...endings,
    result_tags: endings.result_tags.map((tag) => ({ ...tag, name: tag.name.trim() })),
    rating_reasons: endings.rating_reasons.map((reason) => ({
      ...reason,
      texts: Object.fromEntries(
        LANGUAGES.flatMap((language) => {
          const text = reason.texts[language]?.trim() ?? "";
          return text === "" ? [] : [[language, text]];
        }),
      ),
    })),
  };
}

/** The colour that is used least, so that new tags are told apart. */
export function nextColour(tags: readonly TagSetting[]): Colour {
  const used = (colour: Colour): number => tags.filter((tag) => tag.colour === colour && !tag.archived).length;
  return COLOURS.slice(1).reduce((best, each) => (used(each) < used(best) ? each : best));
}
