// Middlewares of namespaces and of packets, and what CONNECT carries.

import { ask, leave, official, polling, ws } from "./scenarios_official.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, client: "bare HTTP and ws", run, ...more };
}

/** Ask for a namespace that refuses. */
async function refused(ctx, manager, nsp, auth) {
  const socket = manager.socket(nsp, { auth });
  socket.connect();
  await ctx.event(socket, "connect_error");
}

export const MIDDLEWARES = [
  official("sio-auth-query", "a middleware that looks at the handshake's query", async (ctx) => {
    const manager = ctx.manager({ ...ws, query: { token: "ok" } });
    const socket = await ctx.socket("/auth", { manager });
    await ask(socket, "echo", "in");
    await leave(ctx, socket);
  }),
  official("sio-auth-polling", "a refusal over polling, for a client that is in another namespace", async (ctx) => {
    const manager = ctx.manager(polling);
    const main = await ctx.socket("/", { manager });
    await refused(ctx, manager, "/auth", { token: "wrong" });
    await refused(ctx, manager, "/auth");
    await ask(main, "echo", "still here");
    await leave(ctx, main);
  }),
  official("sio-middleware-data", "middlewares run in order, once a CONNECT, for their namespace alone", async (ctx) => {
    const manager = ctx.manager(ws);
    const main = await ctx.socket("/", { manager });
    await ask(main, "data");
    let socket = await ctx.socket("/mw", { manager });
    await ask(socket, "data");
    await ask(socket, "set-data", { mine: [1, { two: null }] });
    await ask(socket, "data");
    const other = await ctx.socket("/mw", ws);
    await ask(other, "data");
    await leave(ctx, socket);
    socket = await ctx.socket("/mw", { manager });
    await ask(socket, "data");
    await leave(ctx, socket, other, main);
  }),
  official("sio-packet-middleware", "a rejected event reaches nobody, is not acknowledged, and its error can be told", async (ctx) => {
    const socket = await ctx.socket("/mw", ws);
    for (const args of [["forbidden"], ["forbidden", Buffer.from([1])], ["forbidden", () => {}]]) {
      const told = ctx.event(socket, "mw-error");
      socket.emit(...args);
      await told;
    }
    socket.emit("forbidden");
    await ask(socket, "echo", "allowed");
    socket.emit("message", "allowed");
    await ctx.event(socket, "message-back");
    await leave(ctx, socket);
  }),
  bare("sio-auth-forms", "what CONNECT may carry, and what the handler sees of it", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    for (const packet of ['40{"a":{"b":[1,null,"\\u00e9"]}}', "40/custom,{}"]) {
      link.send(packet);
      for (let i = 0; i < 2; i++) await link.next();
    }
    link.send('40/auth,{"token":"ok","more":0}');
    for (let i = 0; i < 2; i++) await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
];
