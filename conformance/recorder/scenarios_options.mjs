// The options of the engine, one by one: what each value does, and that its default does not. And the user's
// functions: who may come in, which id they get, what is added to the answers. Bare HTTP and frames.

import { sleep } from "./session_context.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, mode: "engineio", client: "bare HTTP and ws", run, ...more };
}

const HANDSHAKE = "EIO=4&transport=polling";
const DIRECT = "EIO=4&transport=websocket";

/** A session over polling that says something, then upgrades and says something, then closes: every kind of answer. */
async function everyAnswer(ctx, options) {
  const session = await ctx.polling(HANDSHAKE, options);
  await session.post("4a", options);
  await session.poll();
  const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`, options);
  link.send("2probe");
  await link.next();
  link.send("5");
  await ctx.log("upgrade");
  link.send("4b");
  await link.next();
  link.close();
  await ctx.log("disconnect");
}

/** A direct WebSocket that says something and closes. */
async function direct(ctx, query = DIRECT, options = {}) {
  const link = await ctx.websocket(query, options);
  await link.next();
  link.send("4a");
  await link.next();
  link.close();
  await ctx.log("disconnect");
}

/** A handshake of each kind, and what follows on the one by polling. */
async function bothHandshakes(ctx) {
  const session = await ctx.polling();
  await session.post("4a");
  await session.poll();
  await session.post("1");
  await ctx.log("disconnect");
  await direct(ctx);
}

/** A handshake of each kind that is refused. */
async function refusedHandshakes(ctx) {
  await ctx.get(HANDSHAKE);
  await ctx.websocket();
}

function cookie(name, about, options) {
  return bare(
    `eio-cookie-${name}`,
    about,
    async (ctx) => {
      const session = await ctx.polling();
      await session.post("4a");
      await session.poll();
    },
    { options: { cookie: options } },
  );
}

const OPTIONS = [
  bare("eio-path", "the path option moves the engine, a slash is added", async (ctx) => {
    const session = await ctx.polling();
    await session.post("4a");
    await session.poll();
    await direct(ctx);
    await ctx.request("GET", `/custom?${HANDSHAKE}`);
    await ctx.request("GET", `/engine.io/?${HANDSHAKE}`);
    await ctx.request("GET", `/customised/?${HANDSHAKE}`);
  }, { options: { path: "/custom" }, path: "/custom/" }),
  bare("eio-path-slash", "a trailing slash of the path option changes nothing", async (ctx) => {
    await ctx.polling();
    await ctx.request("GET", `/custom?${HANDSHAKE}`);
  }, { options: { path: "/custom/" }, path: "/custom/" }),
  bare("eio-no-trailing-slash", "addTrailingSlash false: the path is a prefix, with or without a slash behind it", async (ctx) => {
    const session = await ctx.polling();
    await session.post("4a");
    await session.poll();
    await direct(ctx);
    await ctx.request("GET", `/engine.io/?${HANDSHAKE}`);
    await ctx.request("GET", `/engine.iofoo?${HANDSHAKE}`);
    await ctx.request("GET", `/engine?${HANDSHAKE}`);
  }, { options: { addTrailingSlash: false }, path: "/engine.io" }),
  bare("eio-path-no-trailing-slash", "both together: the path option's own slash is cut", async (ctx) => {
    await ctx.polling();
    await ctx.request("GET", `/custom/?${HANDSHAKE}`);
  }, { options: { path: "/custom/", addTrailingSlash: false }, path: "/custom" }),
  bare("eio-transports-polling", "transports polling: no upgrade is offered, a WebSocket is unknown", async (ctx) => {
    const session = await ctx.polling();
    await session.post("4a");
    await session.poll();
    await ctx.get(DIRECT);
  }, { options: { transports: ["polling"] } }),
  bare("eio-transports-websocket", "transports websocket: polling is unknown", async (ctx) => {
    await direct(ctx);
    await ctx.get(HANDSHAKE);
  }, { options: { transports: ["websocket"] } }),
  bare("eio-upgrade-not-allowed", "allowUpgrades false offers nothing; a client that upgrades all the same may", everyAnswer, {
    options: { allowUpgrades: false },
  }),
  bare("eio-handshake-values", "what the handshake tells of the options, on both transports", async (ctx) => {
    await ctx.polling();
    const link = await ctx.websocket();
    await link.next();
  }, { options: { pingInterval: 12345, pingTimeout: 6789, maxHttpBufferSize: 54321 } }),
  bare("eio-ws-too-large-fragments", "the limit counts all fragments of a message", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.socket.send(`4${"x".repeat(60)}`, { fin: false });
    link.socket.send("y".repeat(60), { fin: true });
    await link.closed;
  }, { options: { maxHttpBufferSize: 100 } }),
  bare("eio-default-times", "ping after 25 s, its pong within 20 s, an upgrade within 10 s, a close packet collected within 30 s", async (ctx) => {
    const silent = await ctx.polling();
    const link = await ctx.websocket(`${DIRECT}&sid=${silent.sid}`);
    const closing = await ctx.polling();
    await closing.post("4close-me");
    await sleep(46_000);
    await link.closed;
    await silent.poll();
  }, { slow: 1 }),
  cookie("name", "the cookie's name", { name: "session" }),
  cookie("path", "the cookie's path", { path: "/custom" }),
  cookie("no-path", "path false leaves the attribute out", { path: false }),
  cookie("not-http-only", "httpOnly false leaves the attribute out", { httpOnly: false }),
  cookie("secure", "Secure, and SameSite=None", { secure: true, sameSite: "none" }),
  cookie("strict", "sameSite strict", { sameSite: "strict" }),
  cookie("same-site-true", "sameSite true is Strict", { sameSite: true }),
  cookie("no-same-site", "sameSite false leaves the attribute out", { sameSite: false }),
  cookie("max-age", "maxAge, in seconds", { maxAge: 86400 }),
  cookie("expires", "expires, as an HTTP date", { expires: { date: "2030-01-02T03:04:05.678Z" } }),
  cookie("domain", "domain", { domain: "example.com" }),
  cookie("priority", "priority", { priority: "high" }),
  cookie("partitioned", "partitioned", { partitioned: true, secure: true }),
  cookie("encode", "a function that writes the value", { encode: "prefix" }),
  cookie("off", "cookie false: none", false),
  bare("eio-cookie-websocket", "a direct WebSocket gets no cookie, nor does an upgrade", async (ctx) => {
    await direct(ctx);
    await everyAnswer(ctx);
  }, { options: { cookie: true } }),
];

const DECISIONS = [
  bare("eio-allow-request-accept", "asked about handshakes, and about nothing else", async (ctx) => {
    await everyAnswer(ctx);
    await direct(ctx);
  }, { behaviors: { allowRequest: "accept" } }),
  bare("eio-allow-request-deny", "refused without a message: code 4, 403, and 400 for a WebSocket", refusedHandshakes, {
    behaviors: { allowRequest: "deny" },
  }),
  bare("eio-allow-request-message", "refused with a message, which takes the place of the text", refusedHandshakes, {
    behaviors: { allowRequest: "deny-message" },
  }),
  bare("eio-allow-request-async", "an answer that comes later, on both transports", async (ctx) => {
    const session = await ctx.polling(`${HANDSHAKE}&token=secret`);
    await session.post("4a");
    await session.poll();
    await ctx.get(`${HANDSHAKE}&token=wrong`);
    await direct(ctx, `${DIRECT}&token=secret`);
    await ctx.websocket(`${DIRECT}&token=wrong`);
  }, { behaviors: { allowRequest: "token" } }),
  bare("eio-allow-request-not-asked", "what fails an earlier check is not asked about", async (ctx) => {
    await ctx.get("EIO=4&transport=abc");
    await ctx.get(`${HANDSHAKE}&sid=nobody`);
    await ctx.request("POST", `/engine.io/?${HANDSHAKE}`, { body: "4a" });
    await ctx.get(DIRECT);
  }, { behaviors: { allowRequest: "accept" } }),
  bare("eio-allow-request-protocol", "the protocol is looked at last, when the request was let in", async (ctx) => {
    await ctx.get("EIO=3&transport=polling");
  }, { behaviors: { allowRequest: "accept" } }),
  bare("eio-allow-request-gone", "a client that goes before the answer", async (ctx) => {
    const link = ctx.websocket(`${DIRECT}&token=wrong`);
    await ctx.log("allow_request");
    for (const cleanup of ctx.cleanups.splice(0)) cleanup();
    await link;
    const get = ctx.get(`${HANDSHAKE}&token=wrong`);
    await ctx.log("allow_request");
    get.abort();
    await sleep(40);
    await ctx.get(`${HANDSHAKE}&token=secret`);
  }, { behaviors: { allowRequest: "token" } }),
  bare("eio-headers", "initial_headers for the handshake, headers for every answer", async (ctx) => {
    await everyAnswer(ctx);
    await direct(ctx);
    await ctx.get("EIO=4&transport=abc"); // an error has neither
  }, { behaviors: { initialHeaders: { "X-Initial": "1" }, headers: { "X-Every": "2" } } }),
  bare("eio-headers-cookie", "a cookie of a header hook stands beside the one of the option", async (ctx) => {
    await everyAnswer(ctx);
  }, { options: { cookie: true }, behaviors: { initialHeaders: { "set-cookie": "mine=1" } } }),
  bare("eio-generate-id", "ids of the user's making, on both transports", bothHandshakes, {
    behaviors: { generateId: "counter" }, literal: true,
  }),
  bare("eio-generate-id-async", "the same, made later", bothHandshakes, { behaviors: { generateId: "async" }, literal: true }),
  // Only on polling: for a WebSocket the reference writes the refusal behind its 101, into the stream of frames.
  bare("eio-generate-id-fails", "no id: code 3, the reason in the log", (ctx) => ctx.get(HANDSHAKE), { behaviors: { generateId: "fail" } }),
];

const MIDDLEWARES = [
  bare("eio-middleware-headers", "headers that a middleware sets, on every answer, a refusal and the 101 too", async (ctx) => {
    await everyAnswer(ctx);
    await direct(ctx);
    await ctx.get("EIO=4&transport=abc");
  }, { behaviors: { middleware: "headers" } }),
  bare("eio-middleware-cookie", "a cookie that a middleware sets, on the 101 too", async (ctx) => {
    await everyAnswer(ctx);
    await direct(ctx);
  }, { behaviors: { middleware: "cookie" } }),
  bare("eio-middleware-and-option-cookie", "a middleware's cookie and the one of the option", async (ctx) => {
    await ctx.polling();
  }, { options: { cookie: true }, behaviors: { middleware: "cookie" } }),
  bare("eio-middleware-ends", "a middleware that answers itself", async (ctx) => {
    await ctx.get(HANDSHAKE);
    await ctx.get(`${HANDSHAKE}&sid=nobody`);
    await ctx.request("POST", `/engine.io/?${HANDSHAKE}`, { body: "4a" });
  }, { behaviors: { middleware: "end-503" } }),
  bare("eio-middleware-ends-upgrade", "a middleware that answers an upgrade itself", async (ctx) => {
    await ctx.websocket();
  }, { behaviors: { middleware: "end-503" } }),
  bare("eio-middleware-fails", "a middleware that fails: code 3", async (ctx) => {
    await refusedHandshakes(ctx);
    await ctx.get(`${HANDSHAKE}&sid=nobody`);
  }, { behaviors: { middleware: "fail" } }),
  bare("eio-middleware-and-cors", "cors comes first, a middleware's answer has its headers", async (ctx) => {
    await ctx.get(HANDSHAKE, { headers: { origin: "https://example.com" } });
    await ctx.request("OPTIONS", `/engine.io/?${HANDSHAKE}`, {
      headers: { origin: "https://example.com", "access-control-request-method": "POST" },
    });
  }, { options: { cors: { origin: "https://example.com" } }, behaviors: { middleware: "end-503" } }),
];

// The same options, given to a Socket.IO server: they are its engine's.
const THROUGH_SOCKET_IO = bare("sio-engine-options", "options and functions of the engine, through a Socket.IO server", async (ctx) => {
  const session = await ctx.polling(HANDSHAKE, { headers: { origin: "https://example.com" } });
  await session.post("40");
  await session.poll();
  const link = await ctx.websocket(DIRECT, { headers: { origin: "https://example.com" }, perMessageDeflate: true });
  await link.next();
  link.send("40");
  await link.next();
  await link.next();
  link.close();
  await ctx.log("disconnect");
  await ctx.get("EIO=4&transport=abc");
}, {
  mode: undefined,
  path: "/chat/",
  options: {
    path: "/chat", cors: { origin: "https://example.com" }, cookie: { name: "session" }, perMessageDeflate: true,
    pingInterval: 12345, maxHttpBufferSize: 54321, allowUpgrades: false,
  },
  behaviors: { allowRequest: "accept", initialHeaders: { "X-Initial": "1" }, headers: { "X-Every": "2" }, middleware: "headers" },
});

export const OPTION_SCENARIOS = [THROUGH_SOCKET_IO, ...OPTIONS, ...DECISIONS, ...MIDDLEWARES];
