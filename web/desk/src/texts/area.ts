/** The words of one part of the desk: the same keys in every language, or the build fails. */
export function area<T extends Record<string, unknown>>(words: { en: T; "zh-CN": Same<T>; "zh-TW": Same<T> }): typeof words {
  return words;
}

type Same<T> = { [Key in keyof T]: T[Key] extends string ? string : Same<T[Key]> };
