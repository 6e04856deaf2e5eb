/** The words of one part of the desk: the same keys in every language, or the build fails. */
export function area<T extends Record<string, unknown>>(words: { en: T; "zh-CN": Same<T>; "zh-TW": Same<T> }): typeof words {
  return words;
}

type Same<T> = { [Key in keyof T]: T[Key] extends string ? string : Same<T[Key]> };

interface Words {
  en: Record<string, unknown>;
  "zh-CN": Record<string, unknown>;
  "zh-TW": Record<string, unknown>;
}

/** The words of an area whose parts have files of their own. */
export function together(...parts: readonly Words[]): Words {
  const all = (language: keyof Words): Record<string, unknown> =>
    Object.assign({}, ...parts.map((part) => part[language]));
  return { en: all("en"), "zh-CN": all("zh-CN"), "zh-TW": all("zh-TW") };
}
