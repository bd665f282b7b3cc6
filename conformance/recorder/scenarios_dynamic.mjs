// Dynamic namespaces with the official client: a pattern, a function, their parent, their end.

import { sleep, within } from "./session_context.mjs";

function official(name, about, run, more = {}) {
  return { name, about, client: "socket.io-client", run, ...more };
}

const ws = { transports: ["websocket"] };

/** The answer to an event that asks for an acknowledgement. */
function ask(socket, ...args) {
  const answered = new Promise((resolve) => socket.emit(...args, (...answer) => resolve(answer)));
  return within(answered, `the answer to ${args[0]}`);
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
];
