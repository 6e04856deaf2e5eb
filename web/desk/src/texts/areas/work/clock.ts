/** What the shop's limits say: answers that are due, and who is important. */

import { area } from "../../area";

export const clock = area({
  en: {
    clock: {
      first: "Reply in {time}",
      each: "Reply in {time}",
      first_over: "First reply {time} late",
      each_over: "Reply {time} late",
    },
    marks: {
      vip: "VIP",
      groups: "Served by {names}",
    },
  },
  "zh-CN": {
    clock: {
      first: "首次回复剩 {time}",
      each: "回复剩 {time}",
      first_over: "首次回复超时 {time}",
      each_over: "回复超时 {time}",
    },
    marks: {
      vip: "VIP",
      groups: "由 {names} 接待",
    },
  },
  "zh-TW": {
    clock: {
      first: "首次回覆剩 {time}",
      each: "回覆剩 {time}",
      first_over: "首次回覆逾時 {time}",
      each_over: "回覆逾時 {time}",
    },
    marks: {
      vip: "VIP",
      groups: "由 {names} 接待",
    },
  },
});
