import { area } from "../area";

export const settings = area({
  en: { title: "" },
  "zh-CN": { title: "" },
  "zh-TW": { title: "" },
});
