/** Messages about other messages. */

import { area } from "../../area";

export const quote = area({
  en: {
    quote: {
      do: "Quote",
      about: "About this message",
      drop: "Do not quote",
      jump: "Show the quoted message",
      recalled: "this message was recalled",
      internal: "An internal note is not quoted to the customer; write a note to quote it.",
    },
  },
  "zh-CN": {
    quote: {
      do: "引用",
      about: "引用的消息",
      drop: "取消引用",
      jump: "查看被引用的消息",
      recalled: "引用的消息已撤回",
      internal: "内部备注不会引用给买家；如需引用，请写内部备注。",
    },
  },
  "zh-TW": {
    quote: {
      do: "引用",
      about: "引用的訊息",
      drop: "取消引用",
      jump: "查看被引用的訊息",
      recalled: "引用的訊息已收回",
      internal: "內部備註不會引用給買家；如需引用，請寫內部備註。",
    },
  },
});
