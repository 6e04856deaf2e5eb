/** The words of one part of the desk: the same keys in every language, or the build fails. */
export function area<T extends Record<string, unknown>>(words: { en: T; "zh-CN": Same<T>; "zh-TW": Same<T> }): typeof words {
  return words;
}

type Same<T> = { [Key in keyof T]: T[Key] extends string ? string : Same<T[Key]> };

/** Words by their keys, however deep. */
export interface Texts {
  [key: string]: string | Texts;
}

export interface Words {
  en: Texts;
  "zh-CN": Texts;
  "zh-TW": Texts;
}

/** The words of an area whose parts have files of their own. */
export function together(...parts: readonly Words[]): Words {
  const all = (language: keyof Words): Texts =>
    parts.reduce<Texts>((sum, part) => ({ ...sum, ...part[language] }), {});
  return { en: all("en"), "zh-CN": all("zh-CN"), "zh-TW": all("zh-TW") };
}
