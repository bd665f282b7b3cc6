// The official client's files under the path: which names, their headers, what a browser that has one gets, and the
// codings. The bodies are in the traces by their digests.

import { setTimeout as sleep } from "node:timers/promises";

function bare(name, about, run, more = {}) {
  return { name, about, client: "bare HTTP", run, ...more };
}

const NAMES = ["", ".min", ".msgpack.min", ".esm.min"].flatMap((kind) => [`socket.io${kind}.js`, `socket.io${kind}.js.map`]);

async function each(ctx, cases) {
  for (const [target, headers, method] of cases) await ctx.request(method ?? "GET", target, { headers });
}

function coding(name, about, ...accepted) {
  return bare(`sio-client-${name}`, about, (ctx) =>
    each(ctx, accepted.map((value) => ["/socket.io/socket.io.js", { "accept-encoding": value }])));
}

export const CLIENT_FILES = [
  bare("sio-client-files", "the eight files, as they are", async (ctx) => {
    await each(ctx, NAMES.map((name) => [`/socket.io/${name}`]));
  }),
  bare("sio-client-files-br", "the eight files in brotli", async (ctx) => {
    await each(ctx, NAMES.map((name) => [`/socket.io/${name}`, { "accept-encoding": "br" }]));
  }),
  bare("sio-client-files-gzip", "the eight files in gzip", async (ctx) => {
    await each(ctx, NAMES.map((name) => [`/socket.io/${name}`, { "accept-encoding": "gzip" }]));
  }),
  bare("sio-client-files-deflate", "the eight files in deflate", async (ctx) => {
    await each(ctx, NAMES.map((name) => [`/socket.io/${name}`, { "accept-encoding": "deflate" }]));
  }),
  coding("coding-order", "among codings that the client likes equally its order decides", ...[
    "gzip, deflate, br", "br, gzip", "deflate, gzip", "deflate, br", "*", "gzip, *", "identity, gzip",
  ]),
  coding("coding-quality", "a higher q wins, 0 excludes", ...[
    "gzip;q=0.5, br;q=0.9, deflate", "br;q=0, gzip;q=0, *", "br;q=0.1, *;q=0.2", "gzip;q=0", "*;q=0", "identity", "", "zstd", "GZIP",
  ]),
  bare("sio-client-etag", "a browser that has the version gets 304 and nothing else; the header is compared as it is", async (ctx) => {
    const values = ['"4.8.4"', 'W/"4.8.4"', "*", '"4.8.4", "4.8.3"', '"4.8.3"', "4.8.4", 'w/"4.8.4"', ""];
    await each(ctx, [
      ...values.map((value) => ["/socket.io/socket.io.min.js", { "if-none-match": value }]),
      ["/socket.io/socket.io.min.js.map", { "if-none-match": '"4.8.4"', "accept-encoding": "gzip" }],
      ["/socket.io/socket.io.min.js", { "if-none-match": '"4.8.4"' }, "POST"],
    ]);
  }),
  bare("sio-client-methods", "any method gets it, HEAD without a body", async (ctx) => {
    await each(ctx, ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"].map((method) => ["/socket.io/socket.io.min.js", {}, method]));
  }),
  bare("sio-client-other-names", "other names are the engine's, which refuses them", async (ctx) => {
    await each(ctx, [
      "socket.io.esm.js", "socket.io.msgpack.js", "socket.io.slim.js", "socket.io.min.js.map.map", "Socket.io.js", "socket.io.js/",
      "x/socket.io.js", "..%2fsocket.io.js", "socket.io.js%3F", "", "__proto__",
    ].map((name) => [`/socket.io/${name}`]));
    await sleep(20);
  }),
  bare("sio-client-query", "a query is cut off", async (ctx) => {
    await each(ctx, [["/socket.io/socket.io.min.js?v=1"], ["/socket.io/socket.io.min.js?EIO=4&transport=polling"], ["/socket.io/socket.io.min.js?"]]);
  }),
  bare("sio-client-not-served", "serveClient false: the engine's refusal", async (ctx) => {
    await each(ctx, NAMES.map((name) => [`/socket.io/${name}`]));
  }, { options: { serveClient: false } }),
  bare("sio-client-cors", "cors stands before the files, a preflight is answered by it", async (ctx) => {
    const origin = "https://example.com";
    await each(ctx, [
      ["/socket.io/socket.io.min.js", { origin }],
      ["/socket.io/socket.io.min.js", { origin, "if-none-match": '"4.8.4"' }],
      ["/socket.io/socket.io.min.js", { origin, "access-control-request-method": "GET" }, "OPTIONS"],
      ["/socket.io/socket.io.min.js"],
    ]);
  }, { options: { cors: { origin: "https://example.com" } } }),
  bare("sio-client-path", "the path option moves them", async (ctx) => {
    await each(ctx, [["/chat/socket.io.min.js"], ["/chat/socket.io.min.js.map"], ["/socket.io/socket.io.min.js"], ["/chats/socket.io.min.js"]]);
  }, { options: { path: "/chat/" }, path: "/chat/" }),
];
