/** The words of the workbench's settings. */

import { area } from "../../area";

export const workbench = area({
  en: {
    workbench: {
      intro: "What agents are reminded of while they serve. It does not change who gets which customer.",
      replies: "Answers in time",
      first: "First answer within",
      first_hint: "Counts down at the conversation, from when the agent has it.",
      each: "Each later answer within",
      each_hint: "Yellow in the last third, red when it is over.",
      slow: "Warn of slow answers after",
      slow_hint: "All that are slow are told in one notice.",
      messages: "Own messages",
      customers: "Important customers",
      vip_tags: "Tags of important customers",
      vip_tags_hint: "Customers with one of these tags carry the mark VIP. Several are separated by commas.",
      history: "What was changed here",
    },
  },
  "zh-CN": {
    workbench: {
      intro: "客服接待时看到的提醒。不影响客户分给谁。",
      replies: "回复时限",
      first: "首次回复时限",
      first_hint: "从会话分到客服起，在会话上倒计时。",
      each: "后续每次回复时限",
      each_hint: "剩余三分之一时变黄，超时变红。",
      slow: "回复过慢提醒",
      slow_hint: "超过此时长未回复的会话合并成一条提醒。",
      messages: "自己发出的消息",
      customers: "重要客户",
      vip_tags: "重要客户的标签",
      vip_tags_hint: "带有其中任一标签的客户显示 VIP 标记，多个标签用逗号分隔。",
      history: "变更历史",
    },
  },
  "zh-TW": {
    workbench: {
      intro: "客服接待時看到的提醒。不影響客戶分給誰。",
      replies: "回覆時限",
      first: "首次回覆時限",
      first_hint: "從會話分到客服起，在會話上倒數。",
      each: "後續每次回覆時限",
      each_hint: "剩餘三分之一時變黃，逾時變紅。",
      slow: "回覆過慢提醒",
      slow_hint: "超過此時間未回覆的會話合併成一則提醒。",
      messages: "自己送出的訊息",
      customers: "重要客戶",
      vip_tags: "重要客戶的標籤",
      vip_tags_hint: "帶有其中任一標籤的客戶顯示 VIP 標記，多個標籤用逗號分隔。",
      history: "變更紀錄",
    },
  },
});
