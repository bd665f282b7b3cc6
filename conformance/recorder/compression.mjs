// Records when and how the reference compresses the answers of polls: Accept-Encoding values x options x payloads,
// over a real engine.io server.
//
//   node compression.mjs            writes conformance/traces/compression/*.jsonl
//   node compression.mjs --check    reports drift
//
// A case: `options` of the engine, `accept` (the lines of Accept-Encoding that the request has), `steps` (what the
// server does before the request), `request` ("poll", "handshake" or "post"), and the `response`: its headers in
// order, lengths and Node's own left out, and its body, decoded, a long run written as `x{1000}`. A step is {"send": text, "times": n, "compress"},
// {"ping": true} (the ping interval passes) or {"close": true}.

import http from "node:http";
import zlib from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import { attach } from "engine.io";
import { saveTrace } from "./policy_trace.mjs";

const OF_NODE = new Set(["date", "connection", "keep-alive", "transfer-encoding", "content-length"]);
const DECODE = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync };
const PING_INTERVAL = 40;

function exchange(port, method, query, accept, body) {
  return new Promise((resolve, reject) => {
    const headers = accept.length > 0 ? { "Accept-Encoding": accept } : {};
    const path = `/engine.io/?EIO=4&transport=polling${query}`;
    const request = http.request({ port, host: "127.0.0.1", method, path, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const raw = response.rawHeaders;
        const pairs = raw.flatMap((name, i) => (i % 2 ? [] : [[name, raw[i + 1]]]));
        const decode = DECODE[response.headers["content-encoding"]] ?? ((data) => data);
        resolve({
          status: response.statusCode,
          headers: pairs.filter(([name]) => !OF_NODE.has(name.toLowerCase())),
          body: decode(Buffer.concat(chunks)).toString(),
        });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function recorded({ options, accept, steps = [], request = "poll" }) {
  const server = http.createServer();
  const pings = steps.some((step) => step.ping);
  const engine = attach(server, { ...options, ...(pings ? { pingInterval: PING_INTERVAL } : {}) });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  const opening = await exchange(port, "GET", "", request === "handshake" ? accept : []);
  const [sid] = Object.keys(engine.clients);
  let response = opening;
  if (request !== "handshake") {
    for (const step of steps) {
      if (step.ping) await sleep(2 * PING_INTERVAL);
      else if (step.close) engine.clients[sid].close();
      else engine.clients[sid].send(step.send.repeat(step.times ?? 1), { compress: step.compress });
    }
    const post = request === "post";
    response = await exchange(port, post ? "POST" : "GET", `&sid=${sid}`, accept, post ? "4hello" : undefined);
  }
  response.body = response.body
    .replaceAll(sid, "${sid}")
    .replace(/(.)\1{19,}/gu, (run, character) => `${character}{${run.length}}`);
  engine.close();
  await new Promise((closed) => server.close(closed));
  return { options, accept, ...(steps.length ? { steps } : {}), request, response };
}

async function all(cases) {
  const done = [];
  for (const one of cases) done.push(await recorded(one));
  return done;
}

const VALUES = [
  [], [""], [" "], [","], [";"], ["gzip"], ["deflate"], ["GZIP"], ["Deflate"], ["*"], ["identity"], ["br"], ["zstd"],
  ["compress"], ["x-gzip"], ["gzi"], ["gzipp"], ["gzip, deflate"], ["deflate, gzip"], ["gzip, deflate, br, zstd"],
  ["br, deflate, gzip"], ["deflate,gzip"], ["gzip ,deflate"], ["  gzip  ,  deflate  "], ["gzip deflate"], ["gzip\tdeflate"],
  ["gzip;q=0"], ["gzip;q=0.0"], ["gzip;q=0.000"], ["gzip;q=0.001"], ["gzip;q=0, deflate"], ["gzip, deflate;q=0"],
  ["gzip;q=0, deflate;q=0"], ["gzip;q=0.5, deflate"], ["gzip;q=0.5, deflate;q=0.6"], ["gzip;q=0.5, deflate;q=0.5"],
  ["deflate;q=0.5, gzip;q=0.5"], ["deflate;q=0.4, gzip;q=0.5"], ["gzip;q=1.0, deflate;q=1"], ["gzip; q=0.2, deflate ; q=0.3"],
  ["gzip;q =0.2, deflate;q=0.3"], ["gzip;q= 0.2, deflate;q=0.3"], ["gzip;Q=0.2, deflate;q=0.3"], ["gzip;a=b;q=0.2, deflate;q=0.3"],
  ["gzip;q=0.2;q=0.9, deflate;q=0.3"], ["gzip;q=abc"], ["gzip;q="], ["gzip;q"], ["gzip;"], ["gzip;;q=0"], ["gzip;q=abc, deflate"],
  ["gzip;q=0.5abc, deflate;q=0.4"], ["gzip;q=.5, deflate;q=.6"], ["gzip;q=1., deflate;q=.9"], ["gzip;q=1e-1, deflate;q=0.2"],
  ["gzip;q=2e0, deflate"], ["gzip;q=Infinity, deflate"], ["gzip;q=-1, deflate;q=0.1"], ["gzip;q=-1"], ["gzip;q=+0.5, deflate;q=0.4"],
  ["gzip;q=0x1, deflate;q=0.1"], ["gzip;q=5, deflate;q=4"], ["gzip;q=1=2, deflate;q=0.9"], ["gzip;q=\"1\", deflate;q=0.1"],
  ["gzip;q=NaN, *"], ["gzip;q=1e999, deflate;q=Infinity"],
  ["*;q=0"], ["*;q=0.5"], ["gzip;q=0, *"], ["*, gzip;q=0"], ["deflate;q=0, *"], ["*, deflate"], ["deflate, *"], ["*, gzip"],
  ["*;q=0, gzip"], ["gzip, *;q=0"], ["gzip;q=0.5, *"], ["gzip;q=0.5, *;q=0.5"], ["*;q=0.5, deflate;q=0.4"], ["*;q=0.5, *;q=0"],
  ["*;q=0, *;q=0.5"], ["*, *"], ["**"], ["*/*"], ["identity;q=1, gzip;q=0.5"], ["identity;q=0"], ["identity, *;q=0"],
  ["identity;q=0, *;q=0"], ["br;q=1, gzip;q=0.1"], ["br, *"], ["gzip;q=0.5, gzip"], ["gzip, gzip;q=0.5, deflate;q=0.7"],
  ["gzip;q=0, gzip"], ["gzip, gzip;q=0"], ["gzip, deflate, gzip;q=0.9"], ["gzip, deflate, gzip"], ["deflate, gzip, deflate"],
  [",gzip"], ["gzip,"], ["gzip,,deflate"], [", ,deflate, gzip"], ["foo bar, deflate"], ["gzip", "deflate"], ["deflate", "gzip;q=0.5"],
  ["deflate;q=0.1", "gzip;q=0.2"], ["gzip\u00a0;q=0, deflate;q=0.1"], ["\u00a0gzip\u00a0"], ["gzip;\u00a0q=0.1, deflate;q=0.2"],
  ["gzip;q=\u00a00.1, deflate;q=0.2"], ["gz\u00efp"], ["gzip:q=0"], ["(gzip)"], ["gzip;q=1;level=9"], ["'gzip'"], ["gzip\\"],
];

const send = (times, compress = true, text = "x") => ({ send: text, times, compress });
const PAYLOADS = [
  { request: "handshake" },
  { request: "post" },
  { steps: [{ ping: true }] },
  { steps: [{ close: true }] },
  { steps: [send(1)] },
  { steps: [send(1022)] },
  { steps: [send(1023)] },
  { steps: [send(1024)] },
  { steps: [send(5000)] },
  { steps: [send(5000, false)] },
  { steps: [send(511, true, "\u00e9")] },
  { steps: [send(512, true, "\u00e9")] },
  { steps: [send(600), send(600)] },
  { steps: [send(5000, false), send(1)] },
  { steps: [send(5000, false), send(5000, false)] },
  { steps: [send(2000), { close: true }] },
  { steps: [send(2000, false), { close: true }] },
];
const OPTIONS = [
  {}, { httpCompression: false }, { httpCompression: true }, { httpCompression: {} }, { httpCompression: null },
  { httpCompression: { threshold: 0 } }, { httpCompression: { threshold: 1 } }, { httpCompression: { threshold: 1024 } },
  { httpCompression: { threshold: 5001 } }, { httpCompression: { threshold: 5002 } }, { httpCompression: { level: 9 } },
  {
    httpCompression: {
      threshold: 100, level: 1, memLevel: 1, windowBits: 9, strategy: zlib.constants.Z_HUFFMAN_ONLY, chunkSize: 64,
    },
  },
];

const everything = { httpCompression: { threshold: 0 } };
const save = (name, scenario, cases) => saveTrace("compression", name, "engine.io", scenario, cases);
save(
  "negotiation",
  "Accept-Encoding: which coding the answer has",
  await all(VALUES.map((accept) => ({ options: everything, accept, steps: [send(100)] }))),
);
save(
  "conditions",
  "the option, its threshold, and what is compressed at all",
  await all(OPTIONS.flatMap((options) => PAYLOADS.map((payload) => ({ options, accept: ["deflate"], ...payload })))),
);
save(
  "levels",
  "every value of the options of zlib, with both codings",
  await all(
    [
      ...[-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => ({ level })),
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((memLevel) => ({ memLevel })),
      ...[9, 10, 11, 12, 13, 14, 15].map((windowBits) => ({ windowBits })),
      ...[0, 1, 2, 3, 4].map((strategy) => ({ strategy })),
      ...[64, 1 << 20].map((chunkSize) => ({ chunkSize })),
    ].flatMap((zlibOptions) =>
      ["gzip", "deflate"].map((accept) => ({
        options: { httpCompression: { threshold: 0, ...zlibOptions } }, accept: [accept], steps: [send(1200)],
      })),
    ),
  ),
);
process.exit();
