// The shop of the demo: it shows goods and the customer's orders, and tells the widget what the customer looks at.

import { LANGUAGE, PRODUCTS, text } from "./texts.js";

const KEY = "shop:customer";
const STRANGER = "stranger";
const find = (id) => document.getElementById(id);
let customers = 1;

document.documentElement.lang = LANGUAGE;
document.title = text("title");
for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);

function made(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function card(picture, title, lines, ask) {
  const button = made("button", { type: "button", textContent: text("ask"), onclick: ask });
  button.setAttribute("aria-label", text("ask_name", { what: title }));
  return made(
    "li",
    { className: "card" },
    made("img", { src: `pictures/${picture}.svg`, alt: "", width: 120, height: 120 }),
    made("div", { className: "facts" }, made("h3", { textContent: title }), ...lines, button),
  );
}

find("products").append(
  ...PRODUCTS.map(({ key, name, price }) =>
    card(key, name, [made("p", { className: "price", textContent: price })], () => {
      pointsman("setContext", { product: { title: name, price }, page: location.href });
      pointsman("open");
    }),
  ),
);

function showOrders(orders) {
  find("mine").hidden = orders.length === 0;
  find("orders").replaceChildren(
    ...orders.map(({ order_id, state, product, title, amount }) => {
      const facts = [
        made("p", { className: "number", textContent: text("order", { id: order_id }) }),
        made("p", { className: "price", textContent: amount }),
        made("p", { className: `state ${state}`, textContent: text(state) }),
      ];
      return card(product, title, facts, () => {
        pointsman("setContext", { order: { order_id, title, state, amount }, page: location.href });
        pointsman("open");
      });
    }),
  );
}

/** As whom one is here: the number of a customer whom the shop knows, or a stranger. */
async function be(who) {
  localStorage.setItem(KEY, who);
  if (who === STRANGER) {
    find("visitor").textContent = text("you_are_nobody");
    showOrders([]);
    return;
  }
  const answer = await fetch(`/v1/demo/identity?shop=demo&language=${LANGUAGE}&customer=${who}`);
  if (!answer.ok) {
    find("visitor").textContent = text("no_demo");
    return;
  }
  const customer = await answer.json();
  customers = customer.count;
  find("visitor").textContent = text("you_are", { name: customer.name });
  showOrders(customer.orders);
  pointsman("setUser", customer.identity_token);
}

function become(who) {
  pointsman("setContext", {});
  pointsman("reset");
  return be(who);
}

const now = () => localStorage.getItem(KEY) ?? "0";
find("next").onclick = () => become(String(now() === STRANGER ? 0 : (Number(now()) + 1) % customers));
find("stranger").onclick = () => become(STRANGER);
await be(now());
