/** The settings' words: each part in a file of its own, in all languages side by side. */

import { connect } from "./settings/connect";
import { frame } from "./settings/frame";
import { hours } from "./settings/hours";
import { people } from "./settings/people";
import { routing } from "./settings/routing";
import { rules } from "./settings/rules";

const PARTS = [frame, routing, people, hours, rules, connect] as const;
const together = (language: "en" | "zh-CN" | "zh-TW"): Record<string, unknown> =>
  Object.assign({}, ...PARTS.map((part) => part[language]));

export const settings = { en: together("en"), "zh-CN": together("zh-CN"), "zh-TW": together("zh-TW") };
