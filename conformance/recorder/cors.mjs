// Records what the npm module `cors` answers: option values x requests, over a real Node HTTP server, because
// the order and merging of headers is Node's as much as the module's.
//
//   node cors.mjs            writes conformance/traces/cors/*.jsonl
//   node cors.mjs --check    reports drift
//
// A case: `options` as given to the module (camelCase), `request`, `vary` (set on the response beforehand), and
// `response`: `ended` with the status by which the module ended the request (null: it called next), or the
// message it failed with, and the headers in order. What JSON cannot say is written as
// {"$regex": source, "flags"}, {"$decide": answer} (an origin function), {"$decideFails": message},
// {"$delegate": options} and {"$delegateFails": message}.

import http from "node:http";
import net from "node:net";
import cors from "cors";
import { saveTrace } from "./policy_trace.mjs";

const A = "https://a.example";
const B = "http://b.example:8080";

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== "object") return value;
  if ("$regex" in value) return new RegExp(value.$regex, value.flags);
  if ("$decide" in value) return (_origin, callback) => setImmediate(callback, null, revive(value.$decide));
  if ("$decideFails" in value) return (_origin, callback) => callback(new Error(value.$decideFails));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}

function middleware(options) {
  if (options !== null && "$delegate" in options) {
    return cors((_request, callback) => setImmediate(callback, null, revive(options.$delegate)));
  }
  if (options !== null && "$delegateFails" in options) {
    return cors((_request, callback) => callback(new Error(options.$delegateFails)));
  }
  return cors(options === null ? undefined : revive(options));
}

// Node's own headers, which are not of the module.
const OF_NODE = new Set(["date", "connection", "keep-alive", "transfer-encoding"]);

let current;
const server = http.createServer((request, response) => {
  const { options, vary } = current;
  if (vary !== undefined) response.setHeader("Vary", vary);
  middleware(options)(request, response, (error) => {
    current.next = true;
    if (error) current.error = error.message;
    response.removeHeader("Content-Length");
    response.end("next");
  });
});

function exchange({ method, headers }) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.address().port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (text += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    // Not `end`: a Node server drops the answers that it owes to a client that has half closed.
    socket.write(`${method} / HTTP/1.1\r\nHost: localhost\r\n${lines}Connection: close\r\n\r\n`, "latin1");
  });
}

async function recorded(options, request, vary) {
  current = { options, vary, next: false };
  const [status, ...lines] = (await exchange(request)).split("\r\n\r\n")[0].split("\r\n");
  if (!status.startsWith("HTTP/1.1 ")) throw new Error(`no answer to ${JSON.stringify({ options, request })}`);
  const headers = lines
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)])
    .filter(([name]) => !OF_NODE.has(name.toLowerCase()))
    .filter(([name]) => !(current.next && name === "Content-Length"));
  const response =
    current.error !== undefined
      ? { error: current.error }
      : { ended: current.next ? null : Number(status.split(" ")[1]), headers };
  return { options, request, ...(vary === undefined ? {} : { vary }), response };
}

async function product(optionList, requests, varies = [undefined]) {
  const cases = [];
  for (const options of optionList) {
    for (const request of requests) {
      for (const vary of varies) cases.push(await recorded(options, request, vary));
    }
  }
  return cases;
}

const get = (...headers) => ({ method: "GET", headers });
const post = (...headers) => ({ method: "POST", headers });
const preflight = (...headers) => ({ method: "OPTIONS", headers });
const from = (origin) => ["Origin", origin];
const wants = (names) => ["Access-Control-Request-Headers", names];
const regex = (source, flags = "") => ({ $regex: source, flags });

const ORIGINS = [
  "*", A, "null", "", "not an origin", "https://caf\u00e9.example",
  true, false,
  regex("a\\.example"), regex("^https://a\\.example$"), regex("A\\.EXAMPLE", "i"), regex("^$"), regex("undefined"),
  [], [A], [A, B], [[B, [A]]], ["*"], [true], [false], [false, true], ["null"], [A + "/"], [A.toUpperCase()],
  [regex("\\.example$"), "null"], [regex("^http:"), [regex("^https:")]],
].map((origin) => ({ origin }));

const ORIGIN_REQUESTS = [
  get(), get(from(A)), post(from(B)), get(from("null")), get(["oRIGIN", A]), get(from("https://caf\u00e9.example")),
  get(from(A), from(B)), get(from("")), preflight(), preflight(from(A), wants("x-a")), preflight(from("https://c.example")),
];

const OPTIONS = [
  null, {},
  { methods: "GET" }, { methods: "GET, POST" }, { methods: ["GET", "POST"] }, { methods: [] }, { methods: "" },
  { methods: ["PATCH"] }, { methods: "*" },
  { allowedHeaders: "X-A" }, { allowedHeaders: ["X-A", "X-B"] }, { allowedHeaders: [] }, { allowedHeaders: "" },
  { allowedHeaders: ["X-A"] }, { allowedHeaders: "X-A, X-B" }, { headers: ["X-Old"] }, { headers: "" }, { headers: [] },
  { allowedHeaders: "X-A", headers: "X-Old" }, { allowedHeaders: "", headers: "X-Old" },
  { allowedHeaders: [], headers: "X-Old" },
  { exposedHeaders: "X-E" }, { exposedHeaders: ["X-E", "X-F"] }, { exposedHeaders: [] }, { exposedHeaders: "" },
  { credentials: true }, { credentials: false },
  { maxAge: 0 }, { maxAge: 600 }, { maxAge: -1 }, { maxAge: "600" }, { maxAge: "" }, { maxAge: 86400 },
  { preflightContinue: true }, { preflightContinue: false },
  { optionsSuccessStatus: 200 }, { optionsSuccessStatus: 204 }, { optionsSuccessStatus: 202 },
  { credentials: true, methods: ["GET"], allowedHeaders: ["X-A"], maxAge: 5, exposedHeaders: ["X-E"] },
  { credentials: true, maxAge: 5, exposedHeaders: "X-E", preflightContinue: true, optionsSuccessStatus: 200 },
  { credentials: true, exposedHeaders: ["X-E"], methods: [], allowedHeaders: [] },
];

const OPTION_REQUESTS = [
  get(from(A)),
  preflight(from(A)),
  preflight(from(A), ["Access-Control-Request-Method", "POST"], wants("x-a, X-B")),
  preflight(from(A), wants("x-a"), ["access-control-request-headers", "x-b"]),
  preflight(from(A), wants("")),
];

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"].map((method) => ({
  method,
  headers: [from(A), wants("x-a")],
}));

const DECISIONS = [
  true, false, null, "", "*", A, "null", regex("a\\.example"), [A, B], [], ["*"], [true], [regex("^http:")],
].map(($decide) => ({ origin: { $decide }, credentials: true, maxAge: 1 }));

const DELEGATES = [
  {}, { origin: false }, { origin: A }, { origin: [A], credentials: true }, { origin: true, preflightContinue: true },
  { origin: { $decide: true }, optionsSuccessStatus: 200 }, { origin: { $decide: false } },
  { origin: { $decideFails: "no decision" } },
].map(($delegate) => ({ $delegate }));

const FAILURES = [{ origin: { $decideFails: "no decision" } }, { $delegateFails: "no options" }];

const VARIES = [
  "", "*", "Origin", "origin", "ORIGIN, Accept", "Accept-Encoding", "Accept-Encoding , origin", "Accept, *",
  "access-control-request-headers", "X-Origin",
];

await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const decided = [get(from(A)), get(), get(from("https://c.example")), preflight(from(A), wants("x-a")), preflight(from("https://c.example"))];
const save = (name, scenario, cases) => saveTrace("cors", name, "cors", scenario, cases);
save("origin", "every form of a static origin, asked by every kind of request", await product(ORIGINS, ORIGIN_REQUESTS));
save(
  "options",
  "every option, with any origin and with a list",
  await product([...OPTIONS, ...OPTIONS.map((options) => ({ ...options, origin: [A] }))], OPTION_REQUESTS),
);
save(
  "methods",
  "request methods: only OPTIONS is a preflight",
  await product([null, { origin: A }, { origin: false }], METHODS),
);
save("decision", "an origin function: its answers and its failure", await product([...DECISIONS, FAILURES[0]], decided));
save("delegate", "the whole option as a function of the request", await product([...DELEGATES, FAILURES[1]], decided));
save(
  "vary",
  "a response that has a Vary header already",
  await product([null, { origin: [A] }, { origin: A, allowedHeaders: "X-A" }], [get(from(A)), preflight(from(A))], VARIES),
);
server.close();
