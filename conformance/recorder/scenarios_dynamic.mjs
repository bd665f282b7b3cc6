// Dynamic namespaces with the official client: a pattern, a function, their parent, their end.

import { sleep } from "./session_context.mjs";
import { ask, leave, official, polling, ws } from "./scenarios_official.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, client: "bare HTTP and ws", run, ...more };
}

/** Ask for a namespace that will be refused. */
async function refused(ctx, manager, nsp, auth) {
  const socket = manager.socket(nsp, { auth });
  socket.connect();
  await ctx.event(socket, "connect_error");
}

export const DYNAMIC = [
  official("sio-dynamic-pattern", "a namespace whose name a regular expression allows is made when it is asked for; others are refused", async (ctx) => {
    const manager = ctx.manager(ws);
    const one = await ctx.socket("/dyn-101", { manager, auth: { for: "one" } });
    one.emit("message", "hello");
    await ctx.event(one, "message-back");
    await ask(one, "namespaces");
    for (const nsp of ["/dyn-", "/dyn-1x", "/dyn", "/xdyn-1"]) await refused(ctx, manager, nsp);
    await ask(one, "namespaces");
    one.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-dynamic-again", "a second client joins the namespace that the first one's CONNECT made; it stays when both are gone", async (ctx) => {
    const one = await ctx.socket("/dyn-7", ws);
    const two = await ctx.socket("/dyn-7", ws);
    const heard = ctx.event(two, "news");
    one.emit("broadcast", "news", 1);
    await heard;
    one.disconnect();
    await ctx.log("disconnect");
    two.disconnect();
    await ctx.log("disconnect");
    const main = await ctx.socket("/", ws);
    await ask(main, "namespaces");
    main.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-dynamic-function", "a function of the name and the auth decides", async (ctx) => {
    const manager = ctx.manager(ws);
    await refused(ctx, manager, "/fn-a");
    await refused(ctx, manager, "/fn-b", { key: "wrong" });
    await refused(ctx, manager, "/gn-c", { key: "k" });
    const fn = await ctx.socket("/fn-d", { manager, auth: { key: "k" } });
    // It exists by now, so nobody is asked.
    const again = await ctx.socket("/fn-d", { ...ws, auth: { key: "wrong" } });
    await ask(again, "namespaces");
    fn.disconnect();
    await ctx.log("disconnect");
    again.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-dynamic-parent", "what is emitted on the parent reaches every child, and nobody else", async (ctx) => {
    const main = await ctx.socket("/", ws);
    const one = await ctx.socket("/dyn-1", ws);
    const two = await ctx.socket("/dyn-2", ws);
    const heard = [ctx.event(one, "all"), ctx.event(two, "all")];
    main.emit("parent-emit", "all", 1, { two: [3] });
    await Promise.all(heard);
    await sleep(20);
    for (const socket of [one, two, main]) {
      socket.disconnect();
      await ctx.log("disconnect");
    }
  }),
  official(
    "sio-dynamic-cleanup",
    "with cleanupEmptyChildNamespaces a dynamic namespace ends with its last socket, and is made anew",
    async (ctx) => {
      const main = await ctx.socket("/", ws);
      const one = await ctx.socket("/dyn-1", ws);
      const two = await ctx.socket("/dyn-1", ws);
      one.disconnect();
      await ctx.log("disconnect");
      await ask(main, "namespaces");
      two.disconnect();
      await ctx.log("disconnect");
      await ask(main, "namespaces");
      const again = await ctx.socket("/dyn-1", ws);
      await ask(main, "namespaces");
      again.disconnect();
      await ctx.log("disconnect");
      main.disconnect();
      await ctx.log("disconnect");
    },
    { options: { cleanupEmptyChildNamespaces: true } },
  ),
  official("sio-dynamic-polling", "a dynamic namespace over polling, with acknowledgements and bytes", async (ctx) => {
    const socket = await ctx.socket("/dyn-1", polling);
    socket.on("question", (ack) => ack("answer"));
    await ask(socket, "ask", 1000, "question", []);
    await ask(socket, "message-with-ack", Buffer.from([1, 2]));
    await leave(ctx, socket);
  }),
  official("sio-dynamic-parent-binary", "the parent's emit with bytes, to several clients of one child", async (ctx) => {
    const main = await ctx.socket("/", ws);
    const sockets = [await ctx.socket("/dyn-1", ws), await ctx.socket("/dyn-2", ws), await ctx.socket("/dyn-2", ws)];
    const got = sockets.map((socket) => ctx.event(socket, "news"));
    main.emit("parent-emit", "news", Buffer.from([1, 2]));
    await Promise.all(got);
    await leave(ctx, main, ...sockets);
  }),
  official("sio-dynamic-no-children", "a parent without namespaces emits to nobody", async (ctx) => {
    const main = await ctx.socket("/", ws);
    main.emit("parent-emit", "news", 1);
    await ask(main, "echo", "still here");
    await leave(ctx, main);
  }),
  official("sio-dynamic-cleaned-up-last", "an empty one goes, however its last client went", async (ctx) => {
    const main = await ctx.socket("/", ws);
    const [a, b] = [await ctx.socket("/dyn-1", ws), await ctx.socket("/dyn-1", ws)];
    await leave(ctx, a);
    await ask(main, "namespaces");
    b.io.engine.close();
    await ctx.log("disconnect");
    await ask(main, "namespaces");
    await leave(ctx, main);
  }, { options: { cleanupEmptyChildNamespaces: true } }),
  bare("sio-dynamic-at-once", "two first clients at once: one namespace", async (ctx) => {
    const links = [];
    while (links.length < 2) {
      const link = await ctx.websocket();
      await link.next(); // its id before the next one's
      links.push(link);
    }
    for (const link of links) link.send("40/dyn-7,");
    for (const link of links) for (let i = 0; i < 2; i++) await link.next();
    links[0].send('42/dyn-7,0["namespaces"]');
    await links[0].next();
    for (const link of links) {
      link.close();
      await ctx.log("disconnect");
    }
  }),
  bare("sio-dynamic-pairs", "CONNECT for several namespaces at once, each answered", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    for (const name of ["/dyn-1", "/nowhere", "/dyn-2"]) link.send(`40${name},`);
    for (let i = 0; i < 5; i++) await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
];
