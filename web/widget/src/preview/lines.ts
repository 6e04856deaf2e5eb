/** What is said in the made-up conversation, in every language of the widget. */

export interface Lines {
  agent: string;
  order: { order_id: string; title: string; amount: string };
  asks: string;
  greets: string;
  answers: string;
  thanks: string;
  more: string;
}

export const LINES: Record<string, Lines> = {
  en: {
    agent: "Lily",
    order: { order_id: "20261108-0417", title: "Enamel kettle, 1.2 l", amount: "¥ 168.00" },
    asks: "Hello! Where is my parcel?",
    greets: "Hello! Let me have a look.",
    answers: "It has reached your town and comes this afternoon.",
    thanks: "Great, thank you!",
    more: "Can it be left with a neighbour?",
  },
  "zh-CN": {
    agent: "小美",
    order: { order_id: "20261108-0417", title: "搪瓷水壶 1.2 升", amount: "¥168.00" },
    asks: "您好，请问我的包裹到哪里了？",
    greets: "您好！我帮您查一下，请稍等。",
    answers: "包裹已到达您所在的城市，预计今天下午送达。",
    thanks: "太好了，谢谢！",
    more: "可以放在邻居家吗？",
  },
  "zh-TW": {
    agent: "小美",
    order: { order_id: "20261108-0417", title: "琺瑯水壺 1.2 公升", amount: "¥168.00" },
    asks: "您好，請問我的包裹到哪裡了？",
    greets: "您好！我幫您查一下，請稍候。",
    answers: "包裹已抵達您所在的城市，預計今天下午送達。",
    thanks: "太好了，謝謝！",
    more: "可以放在鄰居家嗎？",
  },
};
