// Record whole sessions of the reference as traces: conformance/traces/sessions/<scenario>.jsonl
//
//   node sessions.mjs [name ...]            record these scenarios, or all
//   node sessions.mjs --check [name ...]    record again, write nothing, print how that differs from the traces
//   --target COMMAND                        drive another server (see target.mjs for its contract); only with --check
//
// A trace is JSON Lines. The first line is its provenance; every further line is something that passed between
// client and server, in the order and at the time (integer `t`, ms) at which a proxy between them saw it.
// ../README.md describes the lines.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context, REFERENCE } from "./session_context.mjs";
import { drift, finished } from "./session_trace.mjs";
import { COMPRESSION } from "./scenarios_compression.mjs";
import { CORS } from "./scenarios_cors.mjs";
import { EDGES } from "./scenarios_edges.mjs";
import { NAMESPACES } from "./scenarios_namespaces.mjs";
import { OPTION_SCENARIOS } from "./scenarios_options.mjs";
import { POLLING } from "./scenarios_polling.mjs";
import { PROTOCOL3 } from "./scenarios_protocol3.mjs";
import { VIOLATIONS } from "./scenarios_violations.mjs";
import { WEBSOCKET } from "./scenarios_websocket.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const TRACES = join(HERE, "..", "traces", "sessions");
const SCENARIOS = [
  ...POLLING, ...WEBSOCKET, ...OPTION_SCENARIOS, ...CORS, ...COMPRESSION, ...EDGES, ...PROTOCOL3, ...NAMESPACES, ...VIOLATIONS,
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
  return drift(lines, again);
}

function options(argv) {
  const chosen = { check: false, command: REFERENCE, names: [] };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === "--check") chosen.check = true;
    else if (argv[i] === "--target") chosen.command = `exec ${argv[++i]}`;
    else chosen.names.push(argv[i]);
  }
  const known = new Set(SCENARIOS.map(({ name }) => name));
  const unknown = chosen.names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(", ")}; there are ${[...known].join(", ")}`);
  if (chosen.command !== REFERENCE && !chosen.check) throw new Error("--target only with --check");
  return chosen;
}

const { check, command, names } = options(process.argv.slice(2));
const chosen = SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));

function save(scenario, trace) {
  mkdirSync(TRACES, { recursive: true });
  writeFileSync(join(TRACES, `${scenario.name}.jsonl`), `${trace.map(toLine).join("\n")}\n`);
  console.log(`${scenario.name}: ${trace.length - 1} lines`);
  return null;
}

// The official client and a busy machine can take turns in another order, so a difference must last.
const ATTEMPTS = check ? 3 : 1;
let failed = 0;
for (const scenario of chosen) {
  let problem = null;
  for (let attempt = 0; attempt === 0 || (problem !== null && attempt < ATTEMPTS); attempt++) {
    try {
      const trace = await record(scenario, command);
      problem = check ? compare(scenario.name, trace) : save(scenario, trace);
    } catch (error) {
      problem = error.stack;
    }
  }
  if (problem !== null) {
    failed += 1;
    console.log(`${scenario.name}: ${problem}`);
  } else if (check) console.log(`${scenario.name}: agrees`);
}
console.log(`${chosen.length} scenarios, ${failed} ${check ? "differ" : "failed"}`);
process.exit(failed > 0 ? 1 : 0);
