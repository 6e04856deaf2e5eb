import { area } from "../area";

export const work = area({
  en: { title: "" },
  "zh-CN": { title: "" },
  "zh-TW": { title: "" },
});
