// Compression of polling answers (httpCompression) and of WebSocket messages (perMessageDeflate). The recording
// holds what was said; which answer was compressed, and how, is in its headers and in `compressed`.

import { sleep } from "./session_context.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, mode: "engineio", client: "bare HTTP and ws", run, ...more };
}

const polled = (line) => line.response?.headers["cache-control"] !== undefined && line.response.body !== "ok";

/** A session in which each of these Accept-Encoding headers polls for one message. */
function http(name, about, { options, codings, message = "4big", handshake }) {
  const run = async (ctx) => {
    const session = await ctx.polling("EIO=4&transport=polling", { headers: handshake && { "accept-encoding": handshake } });
    for (const coding of codings) {
      await session.post(message, { headers: { "accept-encoding": "gzip" } });
      await session.poll({ headers: coding === null ? {} : { "accept-encoding": coding } });
    }
  };
  return bare(`eio-compression-${name}`, about, run, { options: options === undefined ? {} : { httpCompression: options }, exact: polled });
}

const HTTP = [
  http("codings", "the client's choice: its order, its qualities, its refusals", {
    codings: [
      "gzip", "deflate", "gzip, deflate", "deflate, gzip", "gzip;q=0.5, deflate", "gzip;q=0, deflate", "br, gzip", "br",
      "*", "GZIP", "identity", "gzip;q=0", null,
    ],
  }),
  http("handshake", "the handshake too, when it is large enough", {
    options: { threshold: 10 }, codings: ["gzip"], message: "4a", handshake: "gzip",
  }),
  http("small", "below the threshold nothing is compressed", { codings: ["gzip"], message: `4${"x".repeat(1022)}` }),
  http("threshold", "from the threshold on it is", { codings: ["gzip"], message: `4${"x".repeat(1023)}` }),
  http("low-threshold", "another threshold", { options: { threshold: 6 }, codings: ["gzip", "gzip"], message: "412345" }),
  http("off", "httpCompression false", { options: false, codings: ["gzip", "deflate"] }),
  http("true", "httpCompression true has no threshold: all is compressed", { options: true, codings: ["gzip"], message: "4a" }),
  http("zlib", "options of zlib", { options: { threshold: 100, level: 1, strategy: 1, memLevel: 5, windowBits: 10, chunkSize: 256 }, codings: ["gzip", "deflate"] }),
  http("flag", "a message that is sent uncompressed", { codings: ["gzip", "deflate"], message: "4big-nocompress" }),
  http("mixed", "one compressible message in a payload is enough", { codings: ["gzip"], message: "4big-nocompress\x1e4a" }),
  bare("eio-compression-control", "a noop or a close alone is never compressed", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll({ headers: { "accept-encoding": "gzip" } });
    await sleep(20);
    await session.post("1");
    await poll;
  }, { options: { httpCompression: { threshold: 0 } }, exact: polled }),
];

const LARGE = `4${"hello ".repeat(300)}`;

/** A link whose client offers `offer` and sends a large message, a small one and bytes, twice. */
function deflate(name, about, options, offer = true, more = {}) {
  const run = async (ctx) => {
    const link = await ctx.websocket("EIO=4&transport=websocket", { perMessageDeflate: offer });
    await link.next();
    for (const message of [LARGE, "4small", Buffer.alloc(2000, 7), LARGE]) {
      link.send(message);
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  };
  return bare(`eio-deflate-${name}`, about, run, { options: options === undefined ? {} : { perMessageDeflate: options }, ...more });
}

/** A WebSocket handshake with these extensions, as bytes: what is agreed on, and the open packet. */
async function offered(ctx, extensions) {
  const connection = ctx.raw(
    "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
      `Sec-WebSocket-Extensions: ${extensions}\r\n\r\n`,
  );
  await connection.received(/^HTTP\/1\.1 101 [^]*\r\n\r\n[^]|^HTTP\/1\.1 4/);
  connection.socket.end();
  await connection.answer;
}

function offers(name, about, options, list) {
  const run = async (ctx) => {
    for (const extensions of list) await offered(ctx, extensions);
  };
  return bare(`eio-deflate-offer-${name}`, about, run, { options: { perMessageDeflate: options } });
}

const PMD = "permessage-deflate";

const DEFLATE = [
  deflate("default", "without the option the offer is not taken", undefined),
  deflate("off", "perMessageDeflate false, likewise", false),
  deflate("on", "perMessageDeflate true", true),
  deflate("not-offered", "on, but the client does not offer it", true, false),
  deflate("threshold", "a threshold, with contexts taken over", { threshold: 100 }),
  deflate("threshold-no-context", "a threshold, without the server's context: small messages are not compressed", {
    threshold: 100, serverNoContextTakeover: true,
  }, true, { exact: (line) => line.compressed !== undefined }),
  deflate("server-no-context", "the server takes no context over", { serverNoContextTakeover: true }),
  deflate("client-no-context", "the client is told to take no context over", { clientNoContextTakeover: true }),
  deflate("asked-no-context", "the client asks for both", true, { serverNoContextTakeover: true, clientNoContextTakeover: true }),
  deflate("server-bits", "a smaller window of the server", { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 10 }),
  deflate("client-bits", "a smaller window of the client", { clientMaxWindowBits: 9 }, { clientMaxWindowBits: true }),
  deflate("asked-bits", "the client asks for smaller windows", true, { serverMaxWindowBits: 9, clientMaxWindowBits: 11 }),
  deflate("zlib", "options of zlib, and a limit of concurrency", {
    zlibDeflateOptions: { level: 9, memLevel: 4, chunkSize: 1024 }, zlibInflateOptions: { chunkSize: 1024 }, concurrencyLimit: 2,
  }),
  bare("eio-deflate-upgrade", "the link of an upgrade negotiates too", async (ctx) => {
    const session = await ctx.polling();
    const link = await ctx.websocket(`EIO=4&transport=websocket&sid=${session.sid}`, { perMessageDeflate: true });
    link.send("2probe");
    await link.next();
    link.send("5");
    await ctx.log("upgrade");
    link.send("4big");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }, { options: { perMessageDeflate: true } }),
  bare("eio-deflate-flag", "the compress flag of a message", async (ctx) => {
    const link = await ctx.websocket("EIO=4&transport=websocket", { perMessageDeflate: true });
    await link.next();
    for (const text of ["4big", "4big-nocompress", "4a"]) {
      link.send(text);
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }, { options: { perMessageDeflate: true }, exact: (line) => line.compressed !== undefined }),
  bare("eio-deflate-too-large", "the limit counts what a message inflates to", async (ctx) => {
    const link = await ctx.websocket("EIO=4&transport=websocket", { perMessageDeflate: { threshold: 0 } });
    await link.next();
    link.send(`4${"x".repeat(999)}`);
    await link.next();
    link.send(`4${"x".repeat(1000)}`);
    await link.closed;
  }, { options: { perMessageDeflate: true, maxHttpBufferSize: 1000 } }),
  bare("eio-deflate-fragments", "a compressed message in fragments, a ping between them", async (ctx) => {
    const link = await ctx.websocket("EIO=4&transport=websocket", { perMessageDeflate: { threshold: 0 } });
    await link.next();
    link.socket.send(LARGE, { fin: false });
    link.socket.ping("between");
    link.socket.send(" and more", { fin: true });
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }, { options: { perMessageDeflate: true } }),
  offers("several", "of several offers the first that fits is taken", { serverMaxWindowBits: 10 }, [
    `${PMD}; server_max_window_bits=9, ${PMD}; client_max_window_bits, ${PMD}`,
    `${PMD}; client_max_window_bits=12; server_no_context_takeover, ${PMD}`,
    `x-unknown, ${PMD}`,
    "x-unknown",
  ]),
  offers("refused", "none of the offers fits: 400", { serverMaxWindowBits: 12, clientMaxWindowBits: 10 }, [
    PMD,
    `${PMD}; server_max_window_bits=9; client_max_window_bits`,
  ]),
  offers("no-context-refused", "what the server's options rule out", { serverNoContextTakeover: false, serverMaxWindowBits: false }, [
    `${PMD}; server_no_context_takeover`,
    `${PMD}; server_max_window_bits=10`,
    `${PMD}; client_no_context_takeover`,
  ]),
  offers("malformed", "offers that are none: 400", true, [
    `${PMD}; server_max_window_bits=7`,
    `${PMD}; client_max_window_bits=16`,
    `${PMD}; server_no_context_takeover=1`,
    `${PMD}; unknown_parameter`,
    `${PMD}; client_no_context_takeover; client_no_context_takeover`,
    `${PMD};`,
  ]),
];

export const COMPRESSION = [...HTTP, ...DEFLATE];
