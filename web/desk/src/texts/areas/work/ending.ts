/** How conversations end. */

import { area } from "../../area";

export const ending = area({
  en: {
    end: {
      do: "End",
      title: "End the conversation with {name}?",
      meaning: "It leaves your list and closes after the wrap-up time. If the customer writes before that, it comes back to you.",
      unanswered: "The customer still waits for an answer.",
      items: "{n} pieces of work are not done.",
      never_ask: "Do not ask again when Esc is pressed",
      undo: "Undo",
      back: "Back to service",
      done: "Ended: {name}",
      tags: "Result tags",
      tags_required: "(choose at least one)",
      reason: "Remark for colleagues (optional)",
      reason_was: "Remark:",
      result: "Result",
      closes_in: "closes in {left}",
    },
  },
  "zh-CN": {
    end: {
      do: "结束会话",
      title: "结束与 {name} 的会话？",
      meaning: "会话将移出接待列表，结束中时长过后自动关闭；期间买家来消息会恢复给您。",
      unanswered: "买家最后的消息还未回复。",
      items: "还有 {n} 项协作事项未完成。",
      never_ask: "按 Esc 结束时不再询问",
      undo: "撤销结束",
      back: "恢复接待",
      done: "已结束：{name}",
      tags: "结果标签",
      tags_required: "（至少选择一个）",
      reason: "结束备注，仅同事可见（选填）",
      reason_was: "结束备注：",
      result: "会话结果",
      closes_in: "{left} 后关闭",
    },
  },
  "zh-TW": {
    end: {
      do: "結束會話",
      title: "結束與 {name} 的會話？",
      meaning: "會話將移出接待列表，結束中時長過後自動關閉；期間買家來訊會恢復給您。",
      unanswered: "買家最後的訊息尚未回覆。",
      items: "還有 {n} 項協作事項未完成。",
      never_ask: "按 Esc 結束時不再詢問",
      undo: "復原",
      back: "恢復接待",
      done: "已結束：{name}",
      tags: "結果標籤",
      tags_required: "（至少選擇一個）",
      reason: "結束備註，僅同事可見（選填）",
      reason_was: "結束備註：",
      result: "會話結果",
      closes_in: "{left} 後關閉",
    },
  },
});
