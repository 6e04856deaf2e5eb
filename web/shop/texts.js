// The words of the shop page, and what it sells.

export const LANGUAGE = /^zh-(tw|hk|mo|hant)/i.test(navigator.language)
  ? "zh-TW"
  : /^zh/i.test(navigator.language)
    ? "zh-CN"
    : "en";

const TEXTS = {
  en: {
    title: "A small shop",
    name: "A small shop",
    skip: "To the goods",
    lead: "Good things for slow mornings",
    lead_more: "Questions about an order, or not sure which one to take? Ask us: the button at the bottom right.",
    mine: "Your orders",
    goods: "Today in the shop",
    ask: "Ask about it",
    ask_name: "Ask about it: {what}",
    order: "Order {id}",
    you_are: "You are {name}.",
    you_are_nobody: "You are a visitor whom the shop does not know.",
    next: "Be another customer",
    stranger: "Be a new visitor",
    footer: "A page to try Pointsman with. Nothing here can be bought.",
    no_demo: "The shop cannot say who you are (this page works in demo mode, on the server's own machine).",
    placed_unpaid: "to be paid",
    paid_unshipped: "being packed",
    shipped_unsigned: "on its way",
    trade_done: "delivered",
    after_sale: "return under way",
  },
  "zh-CN": {
    title: "一间小店",
    name: "一间小店",
    skip: "跳到商品",
    lead: "慢慢过早晨的好东西",
    lead_more: "订单有疑问，或者拿不定主意？点右下角的按钮问问我们。",
    mine: "我的订单",
    goods: "今日在售",
    ask: "咨询客服",
    ask_name: "咨询客服：{what}",
    order: "订单 {id}",
    you_are: "您现在是：{name}",
    you_are_nobody: "您现在是未登录的访客",
    next: "换一位买家",
    stranger: "变成新访客",
    footer: "这是试用 Pointsman 的演示页面，商品不出售。",
    no_demo: "无法确认您的身份（此页面仅在演示模式下、在服务器本机上可用）。",
    placed_unpaid: "待付款",
    paid_unshipped: "待发货",
    shipped_unsigned: "运输中",
    trade_done: "已签收",
    after_sale: "退换处理中",
  },
  "zh-TW": {
    title: "一間小店",
    name: "一間小店",
    skip: "跳到商品",
    lead: "慢慢過早晨的好東西",
    lead_more: "訂單有疑問，或者拿不定主意？點右下角的按鈕問問我們。",
    mine: "我的訂單",
    goods: "今日販售",
    ask: "詢問客服",
    ask_name: "詢問客服：{what}",
    order: "訂單 {id}",
    you_are: "您現在是：{name}",
    you_are_nobody: "您現在是未登入的訪客",
    next: "換一位買家",
    stranger: "變成新訪客",
    footer: "這是試用 Pointsman 的示範頁面，商品不販售。",
    no_demo: "無法確認您的身分（此頁面僅在示範模式下、在伺服器本機上可用）。",
    placed_unpaid: "待付款",
    paid_unshipped: "待出貨",
    shipped_unsigned: "運送中",
    trade_done: "已簽收",
    after_sale: "退換處理中",
  },
};

export function text(key, facts = {}) {
  return TEXTS[LANGUAGE][key].replace(/\{(\w+)\}/g, (_, name) => facts[name]);
}

const AT = { en: 0, "zh-CN": 1, "zh-TW": 2 }[LANGUAGE];

export const PRODUCTS = [
  ["kettle", "¥ 268.00", ["Gooseneck kettle", "手冲细口壶", "手沖細口壺"]],
  ["cups", "¥ 129.00", ["Porcelain cups, set of four", "白瓷茶杯四件套", "白瓷茶杯四入組"]],
  ["beans", "¥ 79.00", ["Yunnan coffee beans, 250 g", "云南咖啡豆 250 克", "雲南咖啡豆 250 克"]],
  ["lamp", "¥ 199.00", ["Desk lamp", "护眼台灯", "護眼檯燈"]],
  ["bag", "¥ 89.00", ["Canvas tote bag", "帆布托特包", "帆布托特包"]],
  ["plant", "¥ 59.00", ["Pothos in a clay pot", "陶盆绿萝", "陶盆黃金葛"]],
].map(([key, price, names]) => ({ key, price, name: names[AT] }));
