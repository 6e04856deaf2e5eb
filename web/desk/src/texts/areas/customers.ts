import { area } from "../area";

export const customers = area({
  en: { title: "" },
  "zh-CN": { title: "" },
  "zh-TW": { title: "" },
});
