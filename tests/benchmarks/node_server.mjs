// The reference beside which ours is measured: socket.io, pinned in package.json, with its defaults.
// Prints "READY <port>" once it listens.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);

io.on("connection", (socket) => {
  socket.on("echo", (x) => {
    socket.emit("echo", x);
  });
  socket.on("aecho", async (x) => {
    socket.emit("aecho", x);
  });
  socket.on("ack", (x, reply) => {
    reply(x);
  });
  socket.on("cast", (x) => {
    io.emit("cast", x);
  });
});

// 4096: a burst of 1,000 connections must not be refused by the listen queue.
http.listen({ port: Number(process.argv[2] ?? 0), host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(`READY ${http.address().port}`);
});
