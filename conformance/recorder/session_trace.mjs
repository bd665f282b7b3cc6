// From what the proxy saw to a trace, and what of a trace is compared.
//
// Identifiers are random, so a trace names them: `${sid}` is the engine's id of the first session (`${sid2}`
// of the second), `${sid:/chat}` the socket's id in the namespace `/chat` of that session, and a second socket
// there is `${sid:/chat#2}`. Of a server that recovers connections, `${pid}`, `${pid2}`.. are the private ids, and
// `${offset}`, `${offset2}`.. what it put behind its events. A name stands for one value throughout a trace.

import { withMessages } from "./session_msgpack.mjs";
import { packetsOf } from "./session_payload.mjs";

const OPEN = /^0\{"sid":"([^"]+)"/;
const CONNECTED = /^40(?:(\/[^,]*),)?(\{"sid":.*\})$/;
const EVENT = /^4[25][^[]*(\[.*\])$/;
const OFFSET = /^[\w-]{7}(\.[\w-]+)?$/;

const isPoll = (request) => request.method === "GET" && /[?&]transport=polling(&|$)/.test(request.target);

// What the server says in each line, as packets; `asked` maps a wire to its requests without a response.
function serverPackets(line, asked) {
  if (line.request) asked.set(line.wire, [...(asked.get(line.wire) ?? []), line.request]);
  if (line.from !== "server") return [];
  if (line.text !== undefined) return [line.text];
  if (line.msgpack !== undefined) return [`m${JSON.stringify(line.msgpack)}`];
  if (!line.response) return [];
  const request = asked.get(line.wire).shift();
  return line.response.status === 200 ? packetsOf(request, line.response) : [];
}

// The session of each wire at each line: its sid, by the request's target or the open packet it brought.
function sessionOf(line, wires) {
  if (line.request) wires.set(line.wire, /[?&]sid=([^&]*)/.exec(line.request.target)?.[1] ?? null);
  return wires.get(line.wire) ?? null;
}

// What a packet says, by any of the three parsers: {connected: {nsp, data}} or {event: its array}, or nothing.
function said(packet) {
  if (/^(m|4)\{/.test(packet)) {
    const { type, nsp, data } = JSON.parse(packet.slice(1));
    if (type === 0 && typeof data?.sid === "string") return { connected: { nsp, data } };
    return type === 2 ? { event: data } : {};
  }
  const connected = CONNECTED.exec(packet);
  if (connected) return { connected: { nsp: connected[1] ?? "/", data: JSON.parse(connected[2]) } };
  const event = EVENT.exec(packet);
  return event ? { event: JSON.parse(event[1]) } : {};
}

// An offset is a time in base 64, with a count behind it within a millisecond; of what scenarios send last in an event
// nothing looks like one.
function offsetOf(event) {
  const last = event.at(-1);
  return typeof last === "string" && OFFSET.test(last) ? last : null;
}

function names(lines, recovers) {
  const found = new Map();
  const wires = new Map();
  const asked = new Map();
  const counts = { sid: 0, pid: 0, offset: 0 };
  const numbered = (base) => (++counts[base] === 1 ? base : `${base}${counts[base]}`);
  const name = (id, base) => found.has(id) || found.set(id, numbered(base));
  for (const line of lines) {
    sessionOf(line, wires);
    for (const packet of serverPackets(line, asked)) {
      const open = OPEN.exec(packet);
      if (open && !found.has(open[1])) {
        name(open[1], "sid");
        wires.set(line.wire, open[1]);
      }
      const { connected, event } = said(packet);
      if (connected && !found.has(connected.data.sid)) {
        const base = `${found.get(wires.get(line.wire))}:${connected.nsp}`;
        const taken = [...found.values()].filter((name) => name === base || name.startsWith(`${base}#`)).length;
        found.set(connected.data.sid, taken === 0 ? base : `${base}#${taken + 1}`);
      }
      if (typeof connected?.data.pid === "string") name(connected.data.pid, "pid");
      if (recovers && event && offsetOf(event)) name(offsetOf(event), "offset");
    }
  }
  // An offset can be the beginning of another.
  return [...found].sort(([a], [b]) => b.length - a.length);
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
export function finished(lines, { exact, literal, options }) {
  const read = options?.parser === "msgpack" ? lines.map(withMessages) : lines;
  const found = literal ? [] : names(read, options?.connectionStateRecovery !== undefined);
  return read.map((line) => {
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
