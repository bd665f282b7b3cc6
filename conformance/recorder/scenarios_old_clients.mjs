// Clients of earlier major versions. Those of 2.x speak Socket.IO 4 over Engine.IO 3, which the server must allow;
// those of 3.x speak what those of 4.x speak.

import io2 from "socket.io-client-2";
import { Manager as Manager3 } from "socket.io-client-3";
import { sleep, within } from "./session_context.mjs";

const allowEIO3 = true;
const ws = { transports: ["websocket"] };
const polling = { transports: ["polling"] };
const HANDSHAKE = "EIO=3&transport=websocket";

function old(name, about, run, more = {}) {
  return { name, about, client: "socket.io-client-2", options: { allowEIO3 }, run, ...more };
}

function bare(name, about, run, options = {}) {
  return { name, about, client: "bare ws", options: { allowEIO3, ...options }, run };
}

function third(name, about, run) {
  return { name, about, client: "socket.io-client-3", run };
}

function manager2(ctx, options = {}) {
  const manager = new io2.Manager(ctx.url, { path: "/socket.io", reconnection: false, autoConnect: false, ...options });
  ctx.cleanups.push(() => manager.close());
  return manager;
}

/** Connect a socket of `manager`, or of a new one with `transports`. A query is a namespace's own. */
async function socket2(ctx, nsp = "/", { query, manager, ...options } = {}) {
  const socket = (manager ?? manager2(ctx, options)).socket(nsp, query && { query });
  const connected = ctx.event(socket, "connect");
  socket.open();
  await connected;
  return socket;
}

async function socket3(ctx, nsp, { auth, ...options } = {}) {
  const manager = new Manager3(ctx.url, { path: "/socket.io", reconnection: false, autoConnect: false, ...options });
  ctx.cleanups.push(() => manager._close());
  const socket = manager.socket(nsp, { auth });
  socket.connect();
  await ctx.event(socket, "connect");
  return socket;
}

function ask(socket, ...args) {
  const answered = new Promise((resolve) => socket.emit(...args, (...answer) => resolve(answer)));
  return within(answered, `the answer to ${args[0]}`);
}

async function left(ctx, socket) {
  socket.disconnect();
  await ctx.log("disconnect");
}

async function upgraded(ctx, manager, connect) {
  let upgrade;
  manager.once("open", () => (upgrade = ctx.event(manager.engine, "upgrade")));
  const socket = await connect();
  await upgrade;
  await sleep(50);
  return socket;
}

/** A bare client of protocol 4 that is in the main namespace and has got its `auth` event. */
async function inside(ctx) {
  const link = await ctx.websocket(HANDSHAKE);
  for (let i = 0; i < 3; i++) await link.next();
  return link;
}

const SECOND = [
  old("sio2-connect-polling", "the main namespace is joined without asking; an event there and back, over polling", async (ctx) => {
    const socket = await socket2(ctx, "/", { ...polling, query: { token: "ok" } });
    socket.emit("message", 1, "2", { 3: [true] });
    await ctx.event(socket, "message-back");
    await sleep(50);
    await left(ctx, socket);
  }),
  old("sio2-connect-websocket", "the same over WebSocket", async (ctx) => {
    const socket = await socket2(ctx, "/", ws);
    socket.emit("message", 1, "\u20ac", { 3: [true] });
    await ctx.event(socket, "message-back");
    await left(ctx, socket);
  }),
  old("sio2-connect-upgrade", "the default way: polling first, then the upgrade, then an event", async (ctx) => {
    const manager = manager2(ctx);
    const socket = await upgraded(ctx, manager, () => socket2(ctx, "/", { manager }));
    socket.emit("echo", "after");
    await ctx.event(socket, "echo");
    await left(ctx, socket);
  }),
  old("sio2-connect-custom", "other namespaces with and without a query, left one by one", async (ctx) => {
    const manager = manager2(ctx, ws);
    const main = await socket2(ctx, "/", { manager });
    const custom = await socket2(ctx, "/custom", { manager, query: { for: "custom", "a b": "1+2 &=\u20ac" } });
    await ask(custom, "echo", "custom");
    const mw = await socket2(ctx, "/mw", { manager });
    await ask(mw, "echo", "mw");
    await left(ctx, custom);
    await ask(main, "echo", "still here");
    await left(ctx, mw);
    await left(ctx, main);
  }),
  old("sio2-connect-custom-polling", "another namespace with a query given as text, over polling", async (ctx) => {
    const socket = await socket2(ctx, "/custom", { ...polling, query: "token=1&token=2&empty=" });
    await ask(socket, "echo", "custom");
    await sleep(50);
    await left(ctx, socket);
  }),
  old("sio2-refusal", "a middleware refuses with data, then lets the same client in", async (ctx) => {
    const manager = manager2(ctx, ws);
    const main = await socket2(ctx, "/", { manager });
    const socket = manager.socket("/auth", { query: { token: "wrong" } });
    socket.open();
    await ctx.event(socket, "error");
    socket.query = "token=ok";
    socket.onopen();
    await ctx.event(socket, "connect");
    await ask(socket, "echo", "in");
    await left(ctx, socket);
    await left(ctx, main);
  }),
  old("sio2-invalid-namespace", "a namespace that does not exist; the connection stays for others", async (ctx) => {
    const manager = manager2(ctx, ws);
    const main = await socket2(ctx, "/", { manager });
    const nowhere = manager.socket("/nowhere", { query: { a: 1 } });
    nowhere.open();
    await ctx.event(nowhere, "error");
    await ask(main, "echo", "still here");
    await left(ctx, main);
  }),
  old("sio2-not-allowed", "without allowEIO3 the handshake is refused", async (ctx) => {
    const socket = manager2(ctx, polling).socket("/");
    const refused = ctx.event(socket, "connect_error");
    socket.open();
    await refused;
    await ctx.log("connection_error");
  }, { options: {} }),
  old("sio2-acks", "acknowledgements both ways, with none, one and several values; and one that never comes", async (ctx) => {
    const socket = await socket2(ctx, "/", ws);
    await ask(socket, "message-with-ack");
    await ask(socket, "message-with-ack", "one");
    await ask(socket, "message-with-ack", 1, null, { a: [] });
    socket.on("question", (a, b, ack) => ack(a + b, "sum"));
    await ask(socket, "ask", 1000, "question", [40, 2]);
    await ask(socket, "ask", 200, "nobody", []);
    await left(ctx, socket);
  }),
  old("sio2-acks-custom-polling", "acknowledgements both ways in a custom namespace over polling", async (ctx) => {
    const socket = await socket2(ctx, "/custom", polling);
    socket.on("question", (ack) => ack("answer"));
    await ask(socket, "ask", 1000, "question", []);
    await ask(socket, "message-with-ack", "one");
    await sleep(50);
    await left(ctx, socket);
  }),
  old("sio2-binary-websocket", "events and acknowledgements with bytes, both ways, over WebSocket", async (ctx) => {
    const socket = await socket2(ctx, "/", ws);
    socket.emit("message", { a: [Buffer.from([4])], b: "text" }, Buffer.from([1, 2, 3]));
    await ctx.event(socket, "message-back");
    await ask(socket, "message-with-ack", Buffer.from([5, 6]));
    socket.on("question", (bytes, ack) => ack(bytes));
    await ask(socket, "ask", 1000, "question", [Buffer.from([7])]);
    await left(ctx, socket);
  }),
  old("sio2-binary-polling", "an event and an acknowledgement with bytes over polling, custom namespace", async (ctx) => {
    const socket = await socket2(ctx, "/custom", polling);
    socket.emit("message", Buffer.from([1, 2, 3]), "\u20ac");
    await ctx.event(socket, "message-back");
    await ask(socket, "message-with-ack", Buffer.from([4, 5]));
    await sleep(50);
    await left(ctx, socket);
  }),
  old("sio2-rooms", "an old and a new client in one room: text, bytes, and a question to both", async (ctx) => {
    const b = await ctx.socket("/", ws);
    await ask(b, "join", "~red");
    const a = await socket2(ctx, "/", ws);
    await ask(a, "join", "~red");
    for (const [socket, other] of [[a, b], [b, a]]) {
      for (const value of ["\u20ac", Buffer.from([1, 2])]) {
        const heard = ctx.event(other, "news");
        socket.emit("to", ["~red"], [], "news", value);
        await heard;
      }
    }
    a.on("question", (ack) => ack("a"));
    b.on("question", (ack) => setTimeout(() => ack("b"), 50));
    await ask(a, "ask-room", ["~red"], 1000, "question", []);
    await left(ctx, b);
    await left(ctx, a);
  }),
  old("sio2-server-disconnect", "the server takes one namespace away, the connection stays", async (ctx) => {
    const manager = manager2(ctx, ws);
    const main = await socket2(ctx, "/", { manager });
    const custom = await socket2(ctx, "/custom", { manager });
    const gone = ctx.event(custom, "disconnect");
    custom.emit("disconnect-me", false);
    await gone;
    await ask(main, "echo", "still here");
    await left(ctx, main);
  }),
  old("sio2-server-close", "the server disconnects a socket with its connection, over polling", async (ctx) => {
    const manager = manager2(ctx, polling);
    const main = await socket2(ctx, "/", { manager });
    const gone = ctx.event(main, "disconnect");
    main.emit("disconnect-me", true);
    await gone;
    await sleep(50);
  }),
  old("sio2-client-close", "the client's connection closes under two namespaces", async (ctx) => {
    const manager = manager2(ctx, ws);
    await socket2(ctx, "/", { manager });
    await socket2(ctx, "/custom", { manager });
    manager.engine.close();
    await ctx.log("disconnect");
    await ctx.log("disconnect");
  }),
  bare("sio2-second-connect", "asking for the main namespace, which is joined already", async (ctx) => {
    const link = await inside(ctx);
    link.send("40");
    await link.closed;
    await ctx.log("disconnect");
  }),
  bare("sio2-back-again", "the main namespace is left and asked for again; nothing limits the time between", async (ctx) => {
    const link = await inside(ctx);
    link.send("41");
    await ctx.log("disconnect");
    await sleep(400);
    link.send("40");
    for (let i = 0; i < 2; i++) await link.next();
    link.close();
    await ctx.log("disconnect");
  }, { connectTimeout: 200 }),
  bare("sio2-query-in-event", "the query may stand in any packet, and is not part of the namespace's name", async (ctx) => {
    const link = await inside(ctx);
    link.send('40/custom?a=1,{"b":2}');
    for (let i = 0; i < 2; i++) await link.next();
    link.send('42/custom?a=2,5["echo","x"]');
    await link.next();
    link.send("41/custom?a=3,");
    await ctx.log("disconnect");
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio2-error-from-client", "an ERROR packet from a client closes the connection", async (ctx) => {
    const link = await inside(ctx);
    link.send('44"x"');
    await link.closed;
    await ctx.log("disconnect");
  }),
];

const THIRD = [
  third("sio3-connect-upgrade", "a client of 3.x: polling first, then the upgrade, then events with bytes", async (ctx) => {
    const socket = await socket3(ctx, "/", { auth: { token: "123" } });
    await sleep(300);
    socket.emit("message", Buffer.from([1, 2]), "text");
    await ctx.event(socket, "message-back");
    await left(ctx, socket);
  }),
  third("sio3-polling", "a client of 3.x over polling: another namespace, acknowledgements both ways", async (ctx) => {
    const socket = await socket3(ctx, "/custom", { ...polling, auth: { token: "123" } });
    socket.on("question", (a, ack) => ack(a));
    await ask(socket, "ask", 1000, "question", ["answer"]);
    await ask(socket, "message-with-ack", Buffer.from([4, 5]));
    await sleep(50);
    await left(ctx, socket);
  }),
  third("sio3-refusal", "a client of 3.x is refused with data", async (ctx) => {
    const manager = new Manager3(ctx.url, { path: "/socket.io", reconnection: false, autoConnect: false, ...ws });
    ctx.cleanups.push(() => manager._close());
    const socket = manager.socket("/auth", { auth: { token: "wrong" } });
    socket.connect();
    await ctx.event(socket, "connect_error");
  }),
];

export const OLD_CLIENTS = [...SECOND, ...THIRD];
