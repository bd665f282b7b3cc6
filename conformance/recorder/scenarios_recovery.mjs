// Connection state recovery: what a client gets that comes back, and who is refused it.

import { sleep } from "./session_context.mjs";
import { ask, leave, official, polling, ws } from "./scenarios_official.mjs";

const ON = { connectionStateRecovery: {} };

function recovery(name, about, run, options = ON) {
  return official(`sio-recovery-${name}`, about, run, { options });
}

function bare(name, about, run, options = ON) {
  return { name: `sio-recovery-${name}`, about, client: "bare HTTP and ws", run, options };
}

/** The connection is cut without a word. */
async function drop(ctx, socket) {
  const gone = ctx.event(socket, "disconnect");
  const { transport } = socket.io.engine;
  if (transport.name === "websocket") transport.ws.terminate();
  else {
    transport.pollXhr?.abort?.();
    socket.io.engine._onClose("transport close");
  }
  await gone;
  await ctx.log("disconnect");
}

async function back(ctx, socket) {
  socket.connect();
  await ctx.event(socket, "connect");
}

/** A client that has heard an event with an offset, and another one that stays. */
async function two(ctx, options = ws, namespace = "/", more = {}) {
  const a = await ctx.socket(namespace, { ...options, ...more });
  const b = await ctx.socket(namespace, { ...ws, ...more });
  await sleep(50);
  return [a, b];
}

/** Missed events are heard before "connect"; one that comes behind it is the last. */
async function after(ctx, socket, sender) {
  const got = ctx.event(socket, "say");
  sender.emit("emit-all", "say", "after", 0);
  await got;
  await sleep(20);
}

const basic = (options, namespace) => async (ctx) => {
  const [a, b] = await two(ctx, options, namespace);
  await ask(a, "join", "~red");
  await ask(a, "set-data", { mine: 1 });
  await drop(ctx, a);
  b.emit("emit-all", "say", "everyone", 1);
  b.emit("nsp-to", ["~red"], [], "say", "red", 2);
  b.emit("nsp-to", ["~blue"], [], "say", "blue", 3);
  b.emit("nsp-except", ["~red"], "say", "not red", 4);
  b.emit("broadcast", "say", "others", 5);
  b.emit("to", ["~red"], ["~red"], "say", "nobody", 6);
  await ask(b, "echo", "done");
  await back(ctx, a);
  await ask(a, "join", "~red");
  await ask(a, "data");
  await after(ctx, a, b);
  await leave(ctx, a, b);
};

// Bare clients: the reply to CONNECT is read for its pid, an event for its offset.
async function entered(ctx, auth = "", namespace = "") {
  const link = await ctx.websocket();
  await link.next();
  link.send(`40${namespace}${auth}`);
  return link;
}

async function known(ctx) {
  const link = await entered(ctx);
  const { sid, pid } = JSON.parse((await link.next()).slice(2));
  const offset = JSON.parse((await link.next()).slice(2)).at(-1);
  return { link, sid, pid, offset };
}

async function lost(ctx) {
  const { link, ...state } = await known(ctx);
  link.abort();
  await ctx.log("disconnect");
  return state;
}

/** One who tries, and reads `count` packets. */
async function tries(ctx, auth, count = 2) {
  const link = await entered(ctx, JSON.stringify(auth));
  for (let i = 0; i < count; i++) await link.next();
  await sleep(20);
  return link;
}

async function ends(ctx, ...links) {
  for (const link of links) {
    link.close();
    await ctx.log("disconnect");
  }
}

export const RECOVERY = [
  recovery("websocket", "back after a drop: the same id, rooms and data, and exactly what was missed", basic(ws, "/")),
  recovery("polling", "the same over polling", basic(polling, "/")),
  recovery("custom", "the same in another namespace", basic(ws, "/custom")),
  recovery("offsets", "which packets carry an offset", async (ctx) => {
    const [a, b] = await two(ctx);
    a.emit("message", 1);
    await ctx.event(a, "message-back");
    a.emit("message");
    await ctx.event(a, "message-back");
    await ask(a, "message-with-ack", "an answer has none");
    a.on("question", (...args) => args.pop()(1));
    await ask(a, "ask", 1000, "question", ["nor a question"]);
    await ask(a, "ask-room", [], 300, "question", []);
    const got = ctx.event(a, "tick");
    a.emit("volatile-burst", 1, "tick");
    await got;
    await after(ctx, a, b);
    await leave(ctx, a, b);
  }),
  recovery("burst", "several in one millisecond, missed in part", async (ctx) => {
    const [a, b] = await two(ctx);
    const third = new Promise((resolve) => a.on("tick", (i) => i === 2 && resolve()));
    a.emit("burst", 3, "tick");
    await third;
    await drop(ctx, a);
    for (let i = 0; i < 3; i++) b.emit("emit-all", "say", i);
    await ask(b, "echo", "done");
    await back(ctx, a);
    await leave(ctx, a, b);
  }),
  recovery("binary", "missed events with bytes", async (ctx) => {
    const [a, b] = await two(ctx);
    await drop(ctx, a);
    b.emit("emit-all", "say", Buffer.from([1, 2]), { b: [Buffer.from([3])] });
    b.emit("emit-all", "say", "text", 1);
    await ask(b, "echo", "done");
    await back(ctx, a);
    await after(ctx, a, b);
    await leave(ctx, a, b);
  }),
  recovery("binary-polling", "the same over polling", async (ctx) => {
    const [a, b] = await two(ctx, polling);
    await drop(ctx, a);
    b.emit("emit-all", "say", Buffer.from([1, 2]), 0);
    await ask(b, "echo", "done");
    await back(ctx, a);
    await leave(ctx, a, b);
  }),
  recovery("nothing-missed", "back with nothing missed, twice", async (ctx) => {
    const [a, b] = await two(ctx);
    for (let i = 0; i < 2; i++) {
      await drop(ctx, a);
      await back(ctx, a);
    }
    await after(ctx, a, b);
    await leave(ctx, a, b);
  }),
  recovery("again", "missed events twice over", async (ctx) => {
    const [a, b] = await two(ctx);
    for (let i = 0; i < 2; i++) {
      await drop(ctx, a);
      b.emit("emit-all", "say", "missed", i);
      await ask(b, "echo", "done");
      await back(ctx, a);
    }
    await after(ctx, a, b);
    await leave(ctx, a, b);
  }),
  recovery("volatile", "what was volatile is not kept", async (ctx) => {
    const [a, b] = await two(ctx);
    await drop(ctx, a);
    b.emit("volatile-burst", 2, "tick");
    b.emit("emit-all", "say", "kept", 1);
    await ask(b, "echo", "done");
    await back(ctx, a);
    await leave(ctx, a, b);
  }),
  recovery("left", "who leaves, or is sent away, does not come back as the same", async (ctx) => {
    const [a, b] = await two(ctx);
    a.disconnect();
    await ctx.log("disconnect");
    await back(ctx, a);
    const gone = ctx.event(a, "disconnect");
    a.emit("disconnect-me", false);
    await gone;
    await back(ctx, a);
    await leave(ctx, a, b);
  }),
  recovery("closed", "the client's connection ends by its own close packet", async (ctx) => {
    const [a, b] = await two(ctx);
    a.io.engine.close();
    await ctx.log("disconnect");
    b.emit("emit-all", "say", "missed", 1);
    await ask(b, "echo", "done");
    await back(ctx, a);
    await leave(ctx, a, b);
  }),
  bare("namespaces", "each namespace of a connection is recovered by itself", async (ctx) => {
    const { link, pid, offset } = await known(ctx);
    link.send("40/custom,");
    const there = JSON.parse((await link.next()).slice(10));
    const last = JSON.parse((await link.next()).slice(10)).at(-1);
    link.abort();
    await ctx.log("disconnect");
    await ctx.log("disconnect");
    const other = await entered(ctx, "", "/custom,");
    for (let i = 0; i < 2; i++) await other.next();
    other.send('42/custom,["emit-all","say","missed",1]');
    await other.next();
    const again = await tries(ctx, { pid, offset });
    again.send(`40/custom,${JSON.stringify({ pid: there.pid, offset: last })}`);
    for (let i = 0; i < 3; i++) await again.next();
    await ends(ctx, again, other);
  }),
  recovery("dynamic", "a dynamic namespace", async (ctx) => {
    const [a, b] = await two(ctx, ws, "/dyn-1");
    await drop(ctx, a);
    b.emit("emit-all", "say", "missed", 1);
    await ask(b, "echo", "done");
    await back(ctx, a);
    await leave(ctx, a, b);
  }),
  recovery("disconnected-away", "what the server does to a room reaches those who are away by events alone", async (ctx) => {
    const [a, b] = await two(ctx);
    await ask(a, "join", "~red");
    await drop(ctx, a);
    await ask(b, "sockets-join", ["~red"], "~blue");
    await ask(b, "fetch-sockets", ["~red"]);
    b.emit("disconnect-sockets", ["~red"], true);
    await ask(b, "ask-room", ["~red"], 500, "question", []);
    await back(ctx, a);
    await ask(a, "leave", "~none");
    await leave(ctx, a, b);
  }),
  recovery("middlewares-skipped", "middlewares do not run for whom is recovered", async (ctx) => {
    const [a, b] = await two(ctx, ws, "/mw");
    await drop(ctx, a);
    await back(ctx, a);
    await ask(a, "data");
    await leave(ctx, a, b);
  }),
  recovery("middlewares-run", "skipMiddlewares false: they do, and the session is recovered all the same", async (ctx) => {
    const [a, b] = await two(ctx, ws, "/mw");
    await drop(ctx, a);
    b.emit("emit-all", "say", "missed", 1);
    await ask(b, "echo", "done");
    await back(ctx, a);
    await ask(a, "data");
    await leave(ctx, a, b);
  }, { connectionStateRecovery: { skipMiddlewares: false } }),
  recovery("middlewares-refuse", "and may refuse", async (ctx) => {
    const a = await ctx.socket("/auth", { ...ws, auth: { token: "ok" } });
    await sleep(50);
    await drop(ctx, a);
    a.auth = { token: "wrong" };
    a.connect();
    await ctx.event(a, "connect_error");
  }, { connectionStateRecovery: { skipMiddlewares: false } }),
  recovery("middlewares-not-asked", "skipped, they cannot refuse", async (ctx) => {
    const a = await ctx.socket("/auth", { ...ws, auth: { token: "ok" } });
    await sleep(50);
    await drop(ctx, a);
    a.auth = { token: "wrong" };
    await back(ctx, a);
    await leave(ctx, a);
  }),
  recovery("expired", "after maxDisconnectionDuration it is a new client", async (ctx) => {
    const [a, b] = await two(ctx);
    await drop(ctx, a);
    b.emit("emit-all", "say", "missed", 1);
    await sleep(400);
    await back(ctx, a);
    await leave(ctx, a, b);
  }, { connectionStateRecovery: { maxDisconnectionDuration: 200 } }),
  recovery("in-time", "within it, it is the same", async (ctx) => {
    const [a, b] = await two(ctx);
    await drop(ctx, a);
    await sleep(300);
    await back(ctx, a);
    await leave(ctx, a, b);
  }, { connectionStateRecovery: { maxDisconnectionDuration: 5000 } }),
  recovery("ping-timeout", "a client that fell silent", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send("40");
    const { pid } = JSON.parse((await link.next()).slice(2));
    const offset = JSON.parse((await link.next()).slice(2)).at(-1);
    await link.closed;
    await ctx.log("disconnect");
    const again = await tries(ctx, { pid, offset });
    await ends(ctx, again);
  }, { connectionStateRecovery: {}, pingInterval: 300, pingTimeout: 200 }),
  bare("unknown-pid", "a pid that nobody has: a new client", async (ctx) => {
    const { offset } = await lost(ctx);
    await ends(ctx, await tries(ctx, { pid: "nobody", offset }));
  }),
  bare("unknown-offset", "an offset that is not in the log: a new client", async (ctx) => {
    const { pid } = await lost(ctx);
    await ends(ctx, await tries(ctx, { pid, offset: "nothing" }));
  }),
  bare("no-offset", "a pid without an offset: a new client", async (ctx) => {
    const { pid } = await lost(ctx);
    await ends(ctx, await tries(ctx, { pid }));
  }),
  bare("no-strings", "a pid or an offset that is no text: a new client", async (ctx) => {
    const { pid, offset } = await lost(ctx);
    for (const auth of [{ pid, offset: 5 }, { pid: 5, offset }, { pid: [pid], offset }, { pid: "", offset }, { pid, offset: "" }]) {
      await ends(ctx, await tries(ctx, auth));
    }
  }),
  bare("still-connected", "a pid of one who is there: a new client", async (ctx) => {
    const { link, pid, offset } = await known(ctx);
    await ends(ctx, await tries(ctx, { pid, offset }), link);
  }),
  bare("other-namespace", "a pid of another namespace: a new client", async (ctx) => {
    const { pid, offset } = await lost(ctx);
    const link = await entered(ctx, JSON.stringify({ pid, offset }), "/custom,");
    for (let i = 0; i < 2; i++) await link.next();
    await ends(ctx, link);
  }),
  bare("auth", "what else CONNECT carries is auth, together with them", async (ctx) => {
    const { pid, offset } = await lost(ctx);
    await ends(ctx, await tries(ctx, { pid, offset, token: "x" }));
  }),
  bare("used", "a session that was recovered, asked for once more", async (ctx) => {
    const { pid, offset } = await lost(ctx);
    const first = await tries(ctx, { pid, offset });
    const second = await tries(ctx, { pid, offset });
    await ends(ctx, first, second);
  }),
  bare("same-offset", "an offset from further back: all since then once more", async (ctx) => {
    const { link, pid, offset } = await known(ctx);
    for (let i = 0; i < 2; i++) {
      link.send(`42["message",${i}]`);
      await link.next();
    }
    link.abort();
    await ctx.log("disconnect");
    await ends(ctx, await tries(ctx, { pid, offset }, 4));
  }),
  bare("payload", "the reply to CONNECT and what was missed over polling", async (ctx) => {
    const { pid, offset } = await lost(ctx);
    const session = await ctx.polling();
    await session.post(`40${JSON.stringify({ pid, offset })}`);
    await session.poll();
    await session.post('42["message",1]');
    await session.poll();
    await session.post("41");
  }),
  recovery("off", "without the option neither pid nor offset", async (ctx) => {
    const a = await ctx.socket("/", ws);
    a.emit("message", 1);
    await ctx.event(a, "message-back");
    await drop(ctx, a);
    await back(ctx, a);
    await leave(ctx, a);
  }, {}),
];
