// An agent and a customer, both over `json-rpc-2.0`, who talk to each other through a Pointsman that runs already.
// node client.mjs BASE_URL ORIGIN SHOP EMAIL PASSWORD  ->  one line of JSON: what each of them was told.
import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from "json-rpc-2.0";
import WebSocket from "ws";

const [base, origin, shop, email, password] = process.argv.slice(2);

async function post(path, body, token) {
  const headers = { "Content-Type": "application/json", Origin: origin };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
  const document = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(document)}`);
  return document;
}

async function connect(ticket) {
  const socket = new WebSocket(base.replace("http", "ws") + "/ws", ["pointsman.v1"], { origin });
  const peer = new JSONRPCServerAndClient(
    new JSONRPCServer(),
    new JSONRPCClient(async (request) => socket.send(JSON.stringify(request))),
  );
  const texts = [];
  const readers = new Map();
  peer.addMethod("message.created", (message) => {
    if (message.body?.kind !== "text") return;
    texts.push(message.body.text);
    readers.get(message.body.text)?.(message);
  });
  const reads = (text) =>
    new Promise((resolve) => {
      if (texts.includes(text)) resolve();
      else readers.set(text, resolve);
    });
  const ready = new Promise((resolve) => peer.addMethod("session.ready", resolve));
  const given = new Promise((resolve) => peer.addMethod("conversation.assigned", resolve));
  for (const other of ["conversation.queued", "agent.changed", "read.advanced", "hb"]) {
    peer.addMethod(other, () => {});
  }
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  socket.on("message", (frame) => peer.receiveAndSend(JSON.parse(frame.toString())));
  const hello = await peer.request("session.hello", { ticket, client: { name: "json-rpc-2.0", device: "web" } });
  await ready;
  return { peer, texts, reads, given, hello, close: () => socket.close() };
}

const signedIn = await post("/v1/auth/login", { shop, email, password });
const agentTicket = await post("/v1/tickets", {}, signedIn.access_token);
const agent = await connect(agentTicket.ticket);
await agent.peer.request("agent.set_status", { status: "online" });

const session = await post("/v1/widget/sessions", { shop });
const customer = await connect(session.ticket);
const opened = await customer.peer.request("conversation.open", {
  message: { client_message_id: "first", body: { kind: "text", text: "hello from node" } },
});
const conversation_id = opened.conversation.conversation_id;
await agent.given;
// What was said before it was theirs is in the log.
const page = await agent.peer.request("message.history", { conversation_id, after_seq: 0 });
const sent = await agent.peer.request("message.send", {
  conversation_id,
  client_message_id: "answer",
  body: { kind: "text", text: "hello to node" },
});
await customer.reads("hello to node");
await customer.peer.request("message.send", {
  conversation_id,
  client_message_id: "thanks",
  body: { kind: "text", text: "thanks" },
});
await agent.reads("thanks");
await customer.reads("thanks");
const refused = await customer.peer
  .request("agent.list", {})
  .then(() => null, (error) => ({ code: error.code, reason: error.data?.reason }));

console.log(
  JSON.stringify({
    owner: opened.conversation.owner?.name ?? null,
    history: page.messages.flatMap((message) => message.body?.text ?? []),
    answer_seq: sent.seq,
    agent_read: agent.texts,
    customer_read: customer.texts,
    refused,
  }),
);
agent.close();
customer.close();
