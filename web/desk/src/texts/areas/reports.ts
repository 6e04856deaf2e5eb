import { area } from "../area";

export const reports = area({
  en: { title: "" },
  "zh-CN": { title: "" },
  "zh-TW": { title: "" },
});
