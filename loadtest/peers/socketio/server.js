// One node of the peer: socket.io with the Redis Streams adapter, as its own documentation sets it up, with the settings
// that are fastest for it (WebSocket only, no compression, plain-text entries, native masking by `bufferutil`). A
// message goes to the conversation's room, wherever its members are connected; the sender gets an acknowledgement. Nothing
// is stored, nobody is signed in, nothing is routed.
//
//   node server.js REDIS_URL    prints {"port": ...} when it listens; ends with its standard input

import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createServer } from "node:http";
import { createClient } from "redis";
import { Server } from "socket.io";

const redis = createClient({ url: process.argv[2] });
redis.on("error", (error) => {
  console.error(`Redis: ${error.message}`);
  process.exit(1);
});
await redis.connect();

const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  adapter: createAdapter(redis, { onlyPlaintext: true }),
  serveClient: false,
});

io.on("connection", (socket) => {
  socket.on("join", (rooms, done) => {
    socket.join(rooms);
    done(rooms.length);
  });
  socket.on("send", (message, done) => {
    socket.to(message.conversation_id).emit("message", message);
    done(message.client_message_id);
  });
});

http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: http.address().port })));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
