// From what the proxy saw to a trace, and what of a trace is compared.
//
// Identifiers are random, so a trace names them: `${sid}` is the engine's id of the first session (`${sid2}`
// of the second), `${sid:/chat}` the socket's id in the namespace `/chat` of that session, and a second socket
// there is `${sid:/chat#2}`. A name stands for one value throughout a trace.

import { packetsOf } from "./session_payload.mjs";

const OPEN = /^0\{"sid":"([^"]+)"/;
const CONNECTED = /^40(?:(\/[^,]*),)?\{"sid":"([^"]+)"/;

const isPoll = (request) => request.method === "GET" && /[?&]transport=polling(&|$)/.test(request.target);

// What the server says in each line, as packets; `asked` maps a wire to its requests without a response.
function serverPackets(line, asked) {
  if (line.request) asked.set(line.wire, [...(asked.get(line.wire) ?? []), line.request]);
  if (line.from !== "server") return [];
  if (line.text !== undefined) return [line.text];
  if (!line.response) return [];
  const request = asked.get(line.wire).shift();
  return line.response.status === 200 ? packetsOf(request, line.response) : [];
}

// The session of each wire at each line: its sid, by the request's target or the open packet it brought.
function sessionOf(line, wires) {
  if (line.request) wires.set(line.wire, /[?&]sid=([^&]*)/.exec(line.request.target)?.[1] ?? null);
  return wires.get(line.wire) ?? null;
}

function names(lines) {
  const found = new Map();
  const wires = new Map();
  const asked = new Map();
  let sessions = 0;
  for (const line of lines) {
    sessionOf(line, wires);
    for (const packet of serverPackets(line, asked)) {
      const open = OPEN.exec(packet);
      if (open && !found.has(open[1])) {
        sessions += 1;
        found.set(open[1], sessions === 1 ? "sid" : `sid${sessions}`);
        wires.set(line.wire, open[1]);
      }
      const connected = CONNECTED.exec(packet);
      if (connected && !found.has(connected[2])) {
        const base = `${found.get(wires.get(line.wire))}:${connected[1] ?? "/"}`;
        const taken = [...found.values()].filter((name) => name === base || name.startsWith(`${base}#`)).length;
        found.set(connected[2], taken === 0 ? base : `${base}#${taken + 1}`);
      }
    }
  }
  return found;
}

function withNames(line, found) {
  let text = JSON.stringify(line).replace(/&t=[\w.-]+/g, ""); // the official client's cache buster
  if (text.includes("${")) throw new Error(`a recorded line has "\${" in it: ${text}`);
  for (const [id, name] of found) text = text.replaceAll(id, `\${${name}}`);
  return JSON.parse(text);
}

/**
 * The lines of a trace from the proxy's, with identifiers named, unless the scenario says that they are its own
 * (`literal`). Whether a message of the server was compressed is its own affair, unless the line is `exact`.
 */
export function finished(lines, { exact, literal }) {
  const found = literal ? new Map() : names(lines);
  return lines.map((line) => {
    const named = withNames(line, found);
    if (named.from !== "server") return named.compressed === false ? without(named, "compressed") : named;
    return exact?.(named) ? { ...named, exact: true } : without(named, "compressed");
  });
}

function without(line, key) {
  const { [key]: _, ...rest } = line;
  return rest;
}

/**
 * What must be equal between two recordings: lane -> what passed there, times and payload boundaries left out.
 * `official`: the client polls and upgrades in its own time, so whether a noop has to release its poll is a race.
 */
export function lanes(lines, official) {
  const result = {};
  const into = (lane, entry) => (result[lane] ??= []).push(JSON.stringify(entry));
  const wires = new Map();
  const asked = new Map(); // wire -> requests without a response
  const links = new Map(); // wire -> lane of its messages
  for (const line of lines) {
    if (line.log) {
      into("log", line.log);
      continue;
    }
    const session = sessionOf(line, wires) ?? "none";
    if (line.request) {
      const { request } = line;
      asked.set(line.wire, [...(asked.get(line.wire) ?? []), request]);
      if (request.headers.upgrade) links.set(line.wire, `link ${request.target} ${links.size}`);
      else if (!isPoll(request)) into(`client ${session}`, request);
    } else if (line.response) {
      const request = asked.get(line.wire).shift();
      const { body: _body, base64: _base64, ...rest } = line.response;
      const { method, target } = request;
      if (isPoll(request) && rest.status === 200) {
        into(line.exact ? `exact ${session}` : "polling head", rest);
        for (const packet of packetsOf(request, line.response)) {
          if (!(official && packet === "6")) into(`polling ${session}`, packet);
        }
      } else into(`exchange ${method} ${target} ${request.body ?? ""}`, line.response);
    } else {
      const { t, wire, from, ...entry } = line;
      into(`${links.get(wire) ?? `exchange ${session}`} from ${from}`, entry);
    }
  }
  result["polling head"] = [...new Set(result["polling head"] ?? [])];
  // Two clients of one scenario may start in either order; the entries of an exchange lane have no order of their own.
  return Object.fromEntries(Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first difference between two recordings, or null. */
export function drift(before, after, official) {
  const [a, b] = [lanes(before, official), lanes(after, official)];
  for (const lane of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [left, right] = [a[lane] ?? [], b[lane] ?? []];
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      if (left[i] !== right[i]) return `${lane}, entry ${i}:\n  was ${left[i]}\n  is  ${right[i]}`;
    }
  }
  return null;
}
