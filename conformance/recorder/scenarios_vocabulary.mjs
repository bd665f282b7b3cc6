// Events, rooms, acknowledgements and disconnects of Socket.IO 5, beyond the first steps of scenarios_namespaces.mjs.

import { sleep } from "./session_context.mjs";
import { ask, leave, member, official, polling, ws } from "./scenarios_official.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, client: "bare HTTP and ws", run, ...more };
}

/** Each event in turn, `heard` by these sockets; a moment lets whoever must not hear it not hear it. */
async function heard(ctx, sockets, send) {
  const got = sockets.map((socket) => ctx.event(socket, "say"));
  send();
  await Promise.all(got);
  await sleep(20);
}

async function connected(ctx, namespace = "") {
  const link = await ctx.websocket();
  await link.next();
  link.send(`40${namespace}`);
  await link.next();
  await link.next();
  return link;
}

const EVENTS = [
  official("sio-event-values", "values of every kind, there and back", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    for (const args of [
      [], [null, true, false], [0, -1, 1.5, 1e21, 123456789012345], ["", "h\u00e9llo \u20ac \ud83d\ude00", "\u2028\"\\\n"],
      [[], {}, [[]], { a: { b: [{ c: null }] } }], [{ toString: 1, constructor: 2 }],
    ]) {
      socket.emit("message", ...args);
      await ctx.event(socket, "message-back");
    }
    await leave(ctx, socket);
  }),
  official("sio-event-unknown", "an event that nobody handles, and a question about it, are ignored", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    socket.emit("nobody", 1);
    socket.emit("nobody", () => {});
    await ask(socket, "echo", "still here");
    await leave(ctx, socket);
  }),
  official("sio-echo-forms", "with a question the answer, without one an event", async (ctx) => {
    const socket = await ctx.socket("/custom", ws);
    socket.emit("echo", 1, Buffer.from([1]));
    await ctx.event(socket, "echo");
    await ask(socket, "echo", 1, Buffer.from([1]));
    await leave(ctx, socket);
  }),
  official("sio-burst-polling", "a hundred events in one go, in order, over polling", async (ctx) => {
    const socket = await ctx.socket("/", polling);
    await sleep(50);
    const last = new Promise((resolve) => socket.on("tick", (i) => i === 99 && resolve()));
    socket.emit("burst", 100, "tick");
    await last;
    await leave(ctx, socket);
  }),
  official("sio-burst-websocket", "the same over WebSocket", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    const last = new Promise((resolve) => socket.on("tick", (i) => i === 99 && resolve()));
    socket.emit("burst", 100, "tick");
    await last;
    await leave(ctx, socket);
  }),
  official("sio-later", "an event that the server sends by itself, to a room", async (ctx) => {
    const a = await member(ctx, "~red");
    const b = await member(ctx);
    const got = ctx.event(a, "say");
    b.emit("later", 100, ["~red"], "say", "later");
    await got;
    await leave(ctx, a, b);
  }),
  official("sio-try-reserved", "names that a server may not emit", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    await ask(socket, "try-reserved");
    await leave(ctx, socket);
  }),
  bare("sio-volatile-polling", "volatile without a waiting poll: all are dropped", async (ctx) => {
    const session = await ctx.polling();
    await session.post("40");
    await session.poll();
    await session.post('42["volatile-burst",3,"tick"]');
    await session.post('42["message","after"]');
    await session.poll();
    await session.post("41");
  }),
  bare("sio-volatile-polling-waiting", "with a waiting poll: the first is not", async (ctx) => {
    const session = await ctx.polling();
    await session.post("40");
    await session.poll();
    const poll = session.poll();
    await sleep(20);
    await session.post('42["volatile-burst",3,"tick"]');
    await poll;
    await session.post('42["message","after"]');
    await session.poll();
    await session.post("41");
  }),
  official("sio-volatile-websocket", "over WebSocket: the first of those in one go", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    const got = ctx.event(socket, "tick");
    socket.emit("volatile-burst", 3, "tick");
    await got;
    await ask(socket, "echo", "after");
    await leave(ctx, socket);
  }),
  bare("sio-blob-polling", "the compress flag over polling", async (ctx) => {
    const headers = { "accept-encoding": "gzip" };
    const session = await ctx.polling(undefined, { headers });
    await session.post("40");
    await session.poll();
    for (const [size, compress] of [[3000, true], [3000, false], [10, true]]) {
      await session.post(`42["blob",${size},${compress}]`);
      await session.poll();
    }
    await session.post("41");
  }, { exact: (line) => line.response?.body?.includes('"blob"') }),
  official("sio-blob-websocket", "the same over WebSocket, where nothing is compressed unless the option says so", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    for (const compress of [true, false]) {
      socket.emit("blob", 3000, compress);
      await ctx.event(socket, "blob");
    }
    await leave(ctx, socket);
  }),
];

const ROOMS = [
  official("sio-rooms-ids", "an id is a room: one client is told, or left out", async (ctx) => {
    const [a, b, c] = [await member(ctx), await member(ctx), await member(ctx)];
    await heard(ctx, [b], () => a.emit("to", [b.id], [], "say", "to b"));
    await heard(ctx, [b, c], () => a.emit("nsp-except", [a.id], "say", "all but a"));
    await heard(ctx, [c], () => a.emit("to", [b.id, c.id], [b.id], "say", "to c"));
    await heard(ctx, [a, c], () => a.emit("nsp-except", [b.id], "say", "all but b"));
    await leave(ctx, a, b, c);
  }),
  official("sio-rooms-union", "whoever is in several of the rooms hears once", async (ctx) => {
    const [a, b, c] = [await member(ctx, "~red", "~blue"), await member(ctx, "~blue"), await member(ctx)];
    await heard(ctx, [a, b], () => c.emit("nsp-to", ["~red", "~blue", "~none"], [], "say", "once"));
    await heard(ctx, [b], () => a.emit("to", ["~red", "~blue"], [], "say", "not to itself"));
    await heard(ctx, [b], () => c.emit("nsp-to", ["~red", "~blue"], ["~red"], "say", "without red"));
    await heard(ctx, [c], () => c.emit("nsp-except", ["~red", "~blue"], "say", "the rest"));
    c.emit("nsp-to", ["~none"], [], "say", "nobody");
    await leave(ctx, a, b, c);
  }),
  official("sio-rooms-membership", "joining twice, leaving twice, leaving one's own room", async (ctx) => {
    const a = await member(ctx, "~red", "~red");
    await ask(a, "leave", "~red");
    await ask(a, "leave", "~red");
    await ask(a, "leave", "~never");
    await ask(a, "leave", a.id);
    await ask(a, "echo", "direct events still come");
    const b = await member(ctx);
    await heard(ctx, [a], () => b.emit("broadcast", "say", "broadcasts miss a; then all"));
    await leave(ctx, a, b);
  }),
  official("sio-rooms-namespaces", "a room belongs to one namespace", async (ctx) => {
    const manager = ctx.manager(ws);
    const main = await ctx.socket("/", { manager });
    const custom = await ctx.socket("/custom", { manager });
    await ask(main, "join", "~red");
    await ask(custom, "join", "~red");
    await heard(ctx, [custom], () => custom.emit("nsp-to", ["~red"], [], "say", "custom"));
    await heard(ctx, [main], () => main.emit("emit-all", "say", "main"));
    await leave(ctx, custom, main);
  }),
  official("sio-rooms-polling", "rooms over polling, with bytes", async (ctx) => {
    const a = await ctx.socket("/custom", polling);
    await ask(a, "join", "~red");
    const b = await ctx.socket("/custom", ws);
    await heard(ctx, [a], () => b.emit("to", ["~red"], [], "say", Buffer.from([1, 2, 3]), { b: Buffer.from([4]) }));
    await heard(ctx, [a, b], () => b.emit("emit-all", "say", "text"));
    await leave(ctx, a, b);
  }),
  official("sio-utilities", "sockets of rooms, and of all, are moved, found and disconnected", async (ctx) => {
    const [a, b, c] = [await member(ctx, "~red"), await member(ctx, "~blue"), await member(ctx)];
    await ask(a, "fetch-sockets", ["~red"]);
    await ask(a, "fetch-sockets", ["~none"]);
    await ask(c, "sockets-join", ["~red", "~blue"], ["~both", "~more"]);
    await heard(ctx, [a, b], () => c.emit("nsp-to", ["~both"], [], "say", "both"));
    await ask(c, "sockets-leave", ["~red"], ["~both", "~none"]);
    await ask(c, "fetch-sockets", ["~both"]);
    await ask(c, "sockets-join", [], "~all");
    await heard(ctx, [a, b, c], () => c.emit("nsp-to", ["~all"], [], "say", "all"));
    await ask(c, "sockets-leave", [], "~all");
    await ask(c, "fetch-sockets", ["~all"]);
    await ask(c, "join", "~c");
    c.emit("disconnect-sockets", ["~both"], false);
    await ctx.event(b, "disconnect");
    c.emit("disconnect-sockets", ["~red", "~none"], true);
    await ctx.event(a, "disconnect");
    await ask(c, "fetch-sockets", []);
    await leave(ctx, c);
  }),
  official("sio-utilities-namespace", "they act on one namespace; only with close do the others end", async (ctx) => {
    const manager = ctx.manager(ws);
    const [main, custom] = [await ctx.socket("/", { manager }), await ctx.socket("/custom", { manager })];
    const other = await ctx.socket("/custom", ws);
    await ask(other, "sockets-join", [], "~red");
    await ask(main, "fetch-sockets", ["~red"]);
    await ask(custom, "join", "~first");
    other.emit("disconnect-sockets", ["~first"], false);
    await ctx.event(custom, "disconnect");
    await ask(main, "echo", "still here");
    const again = await ctx.socket("/custom", { manager });
    await ask(again, "join", "~second");
    const gone = ctx.event(main, "disconnect");
    other.emit("disconnect-sockets", ["~second"], true);
    await gone;
    await leave(ctx, other);
  }),
];

const ACKS = [
  official("sio-ack-room-empty", "a room without members, and one that does not exist: no answers, at once", async (ctx) => {
    const a = await member(ctx);
    await ask(a, "ask-room", ["~none"], 1000, "question", []);
    await leave(ctx, a);
  }),
  official("sio-ack-room-all", "everyone is asked, with bytes; of each answer the first argument counts", async (ctx) => {
    const a = await member(ctx);
    const b = await ctx.socket("/", polling);
    await sleep(50);
    a.on("question", (bytes, ack) => ack(bytes, "not this"));
    b.on("question", (bytes, ack) => setTimeout(() => ack({ b: bytes }), 100));
    await ask(a, "ask-room", [], 2000, "question", [Buffer.from([7])]);
    await leave(ctx, a, b);
  }),
  official("sio-ack-room-gone", "one who leaves without an answer is waited for in vain", async (ctx) => {
    const [a, b] = [await member(ctx, "~red"), await member(ctx, "~red")];
    a.on("question", (ack) => ack("a"));
    b.on("question", () => b.disconnect());
    await ask(a, "ask-room", ["~red"], 300, "question", []);
    await leave(ctx, a);
  }),
  official("sio-ack-room-nobody", "nobody answers in time", async (ctx) => {
    const a = await member(ctx, "~red");
    await ask(a, "ask-room", ["~red"], 200, "question", ["x", 1]);
    await leave(ctx, a);
  }),
  official("sio-ack-numbers", "one counter a namespace, for all its clients and broadcasts", async (ctx) => {
    const [a, b] = [await member(ctx, "~red"), await member(ctx, "~red")];
    for (const socket of [a, b]) socket.on("question", (ack) => ack(1));
    await ask(a, "ask", 1000, "question", []);
    await ask(b, "ask", 1000, "question", []);
    await ask(a, "ask-room", ["~none"], 1000, "question", []);
    await ask(b, "ask", 1000, "question", []);
    const custom = await ctx.socket("/custom", ws);
    custom.on("question", (ack) => ack(1));
    await ask(custom, "ask", 1000, "question", []);
    await leave(ctx, a, b, custom);
  }),
  bare("sio-ack-twice", "only the first answer counts, one that is late not at all, and an answer may be empty", async (ctx) => {
    const link = await connected(ctx);
    link.send('420["ask",1000,"question",[]]');
    await link.next();
    link.send('430["first"]');
    link.send('430["second"]');
    await link.next();
    link.send('421["ask",100,"question",[]]');
    await link.next();
    await link.next();
    link.send('431["late"]');
    link.send('422["ask",1000,"question",[]]');
    await link.next();
    link.send("432[]");
    await link.next();
    link.send('423["ask",1000,"question",[]]');
    await link.next();
    link.send("433");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio-ack-large-id", "an id of the client's own is given back", async (ctx) => {
    const link = await connected(ctx, "/custom,");
    link.send('42/custom,9007199254740991["message-with-ack","a"]');
    await link.next();
    link.send('42/custom,007["message-with-ack"]');
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
];

const ENDS = [
  official("sio-server-close-polling", "a disconnect with its connection over polling, in another namespace", async (ctx) => {
    const socket = await ctx.socket("/custom", polling);
    await ask(socket, "join", "~red");
    await sleep(50);
    const gone = ctx.event(socket, "disconnect");
    socket.emit("disconnect-me", true);
    await gone;
    await sleep(50);
  }),
  bare("sio-server-close-idle", "the same without a waiting poll", async (ctx) => {
    const session = await ctx.polling();
    for (const packet of ["40", "40/custom,"]) {
      await session.post(packet);
      await session.poll();
    }
    await session.post('42["disconnect-me",true]');
    await session.poll();
    await session.poll();
  }),
  official("sio-server-disconnect-polling", "the server takes one namespace away over polling", async (ctx) => {
    const manager = ctx.manager(polling);
    const [main, custom] = [await ctx.socket("/", { manager }), await ctx.socket("/custom", { manager })];
    await sleep(50);
    const gone = ctx.event(custom, "disconnect");
    custom.emit("disconnect-me", false);
    await gone;
    await ask(main, "echo", "still here");
    await leave(ctx, main);
  }),
  bare("sio-server-disconnect-last", "the last namespace is taken away: the connection stays, and may join again", async (ctx) => {
    const link = await connected(ctx);
    link.send('42["disconnect-me",false]');
    await link.next();
    await sleep(300);
    link.send("40");
    for (let i = 0; i < 2; i++) await link.next();
    link.close();
    await ctx.log("disconnect");
  }, { options: { connectTimeout: 200 } }),
  bare("sio-events-behind-disconnect", "what comes behind a disconnect in one payload", async (ctx) => {
    const session = await ctx.polling();
    await session.post("40");
    await session.poll();
    await session.post('42["message",1]\x1e41\x1e42["message",2]');
    await ctx.log("disconnect");
    await session.post("40");
    await session.poll();
  }),
  bare("sio-transport-error", "an error of the transport, seen by every namespace", async (ctx) => {
    const session = await ctx.polling();
    for (const packet of ["40", "40/custom,"]) {
      await session.post(packet);
      await session.poll();
    }
    const poll = session.poll();
    await sleep(20);
    await session.poll();
    await poll;
    await ctx.log("disconnect");
  }),
  bare("sio-parse-error", "a packet that the engine cannot read, seen by every namespace", async (ctx) => {
    const link = await connected(ctx);
    link.send("40/custom,");
    for (let i = 0; i < 2; i++) await link.next();
    link.send("x");
    await ctx.log("disconnect");
    await ctx.log("disconnect");
  }),
  bare("sio-abrupt-end", "a connection that just ends, with rooms", async (ctx) => {
    const link = await connected(ctx);
    link.send('420["join","~red"]');
    await link.next();
    link.abort();
    await ctx.log("disconnect");
  }),
  bare("sio-connect-timeout-left", "a client that has joined once is not closed by it", async (ctx) => {
    const link = await connected(ctx);
    link.send("41");
    await ctx.log("disconnect");
    await sleep(500);
    link.close();
    await sleep(50);
  }, { options: { connectTimeout: 300 } }),
  bare("sio-connect-timeout-default", "it is 45 s", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    await sleep(24_000);
    await link.next();
    link.send("3");
    await sleep(15_000);
    await link.closed;
  }, { slow: 1 }),
];

export const VOCABULARY = [...EVENTS, ...ROOMS, ...ACKS, ...ENDS];
