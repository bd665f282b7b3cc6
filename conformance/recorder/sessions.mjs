// Record whole sessions of the reference as traces: conformance/traces/sessions/<scenario>.jsonl
//
//   node sessions.mjs [name ...]            record these scenarios, or all
//   node sessions.mjs --check [name ...]    record again, write nothing, print how that differs from the traces
//   --jobs N                                so many scenarios at a time (1; with --check 2)
//   --target COMMAND                        drive another server (see target.mjs for its contract); only with --check
//
// A trace is JSON Lines. The first line is its provenance; every further line is something that passed between
// client and server, in the order and at the time (integer `t`, ms) at which a proxy between them saw it.
// ../README.md describes the lines.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context, REFERENCE } from "./session_context.mjs";
import { drift, finished } from "./session_trace.mjs";
import { CLIENT_FILES } from "./scenarios_client_files.mjs";
import { COMPRESSION } from "./scenarios_compression.mjs";
import { CORS } from "./scenarios_cors.mjs";
import { DYNAMIC } from "./scenarios_dynamic.mjs";
import { EDGES } from "./scenarios_edges.mjs";
import { MIDDLEWARES } from "./scenarios_middlewares.mjs";
import { NAMESPACES } from "./scenarios_namespaces.mjs";
import { OLD_CLIENTS } from "./scenarios_old_clients.mjs";
import { OPTION_SCENARIOS } from "./scenarios_options.mjs";
import { OTHER_PARSERS } from "./scenarios_parsers.mjs";
import { POLLING } from "./scenarios_polling.mjs";
import { PROTOCOL3 } from "./scenarios_protocol3.mjs";
import { RECOVERY } from "./scenarios_recovery.mjs";
import { VIOLATIONS } from "./scenarios_violations.mjs";
import { VOCABULARY } from "./scenarios_vocabulary.mjs";
import { WEBSOCKET } from "./scenarios_websocket.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const TRACES = join(HERE, "..", "traces", "sessions");
const SCENARIOS = [
  ...POLLING, ...WEBSOCKET, ...OPTION_SCENARIOS, ...CORS, ...COMPRESSION, ...EDGES, ...PROTOCOL3, ...NAMESPACES, ...DYNAMIC,
  ...MIDDLEWARES, ...VOCABULARY, ...RECOVERY, ...OTHER_PARSERS, ...CLIENT_FILES, ...OLD_CLIENTS, ...VIOLATIONS,
];

// Read as a file: not every package exports its package.json.
function version(name) {
  return JSON.parse(readFileSync(join(HERE, "node_modules", name, "package.json"), "utf8")).version;
}

// Beyond ASCII everything is escaped: a trace survives any editor and shows what it holds.
function toLine(value) {
  const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape);
}

function provenance({ name, about, mode, client, options, behaviors }) {
  const reference = mode === "engineio" ? "engine.io" : "socket.io";
  const official = /^(\S+-client)(-\d)?$/.exec(client); // an older line has its number as a suffix in package.json
  return {
    reference,
    version: version(reference),
    scenario: name,
    about,
    date: new Date().toISOString().slice(0, 10),
    client: official ? `${official[1]} ${version(client)}` : client,
    mode: mode ?? "socketio",
    options: options ?? {},
    behaviors: behaviors ?? {},
  };
}

async function record(scenario, command) {
  const context = new Context(scenario, command);
  let lines;
  try {
    await context.start();
    await scenario.run(context);
  } finally {
    lines = await context.stop();
  }
  return [provenance(scenario), ...finished(lines, scenario)];
}

function committed(name) {
  const text = readFileSync(join(TRACES, `${name}.jsonl`), "utf8");
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

function compare(name, trace) {
  const [{ date: _then, ...before }, ...lines] = committed(name);
  const [{ date: _now, ...after }, ...again] = trace;
  if (toLine(before) !== toLine(after)) return `provenance:\n  was ${toLine(before)}\n  is  ${toLine(after)}`;
  return drift(lines, again, before.client.includes("-client "));
}

function options(argv) {
  const chosen = { check: false, command: REFERENCE, jobs: null, names: [] };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === "--check") chosen.check = true;
    else if (argv[i] === "--jobs") chosen.jobs = Number(argv[++i]);
    else if (argv[i] === "--target") chosen.command = `exec ${argv[++i]}`;
    else chosen.names.push(argv[i]);
  }
  const known = new Set(SCENARIOS.map(({ name }) => name));
  const unknown = chosen.names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(", ")}; there are ${[...known].join(", ")}`);
  if (chosen.command !== REFERENCE && !chosen.check) throw new Error("--target only with --check");
  chosen.jobs ??= chosen.check ? 2 : 1;
  if (!Number.isInteger(chosen.jobs) || chosen.jobs < 1) throw new Error("--jobs takes a number from 1 on");
  return chosen;
}

const { check, command, jobs, names } = options(process.argv.slice(2));
const chosen = SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));

function save(scenario, trace) {
  mkdirSync(TRACES, { recursive: true });
  writeFileSync(join(TRACES, `${scenario.name}.jsonl`), `${trace.map(toLine).join("\n")}\n`);
}

// The official client and a busy machine can take turns in another order, so a difference must last.
const ATTEMPTS = check ? 3 : 1;

/** What is wrong with a scenario, or null. */
async function attempt(scenario) {
  try {
    const trace = await record(scenario, command);
    if (check) return compare(scenario.name, trace);
    save(scenario, trace);
    return null;
  } catch (error) {
    return error.stack;
  }
}

let failed = 0;
let done = 0;
const waiting = [...chosen].sort((a, b) => (b.slow ?? 0) - (a.slow ?? 0));

async function worker() {
  for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
    let problem = await attempt(scenario);
    for (let again = 1; problem !== null && again < ATTEMPTS; again++) problem = await attempt(scenario);
    if (problem !== null) failed += 1;
    console.log(`${++done}/${chosen.length} ${scenario.name}: ${problem ?? (check ? "agrees" : "recorded")}`);
  }
}

// A trace without a scenario would be replayed for ever and recorded never again.
function abandoned() {
  const known = new Set(SCENARIOS.map(({ name }) => `${name}.jsonl`));
  return readdirSync(TRACES).filter((file) => !known.has(file));
}

await Promise.all(Array.from({ length: jobs }, worker));
console.log(`${chosen.length} scenarios, ${failed} ${check ? "differ" : "failed"}`);
for (const file of abandoned()) {
  failed += 1;
  console.log(`${file}: no scenario has this name; delete it`);
}
process.exit(failed > 0 ? 1 : 0);
