// Messages of socket.io-msgpack-parser, written down as what they say: ids in them need names, and base64 has none.
//
// On a WebSocket such a message is {"msgpack": packet} in place of {"binary": base64}; in a payload it is `m` and
// the packet's JSON in place of `b` and base64. What JSON has no form for is tagged as in tagged.mjs. A member that is
// undefined is written down for the client, which sends it, and left out for the server, whose order of members is that
// of their names: both are the same to any client. What is no packet stays as it is.

import { createRequire } from "node:module";
import { tag } from "./tagged.mjs";

const require = createRequire(import.meta.url);
const { decode, encode } = require("notepack.io");
const SEPARATOR = "\x1e";

function tagged(value) {
  if (value === undefined) return { $undefined: true };
  if (Array.isArray(value)) return value.map(tagged);
  if (Object.prototype.toString.call(value) !== "[object Object]") return tag(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tagged(item)]));
}

// What the server says, whoever it is.
function plain(packet) {
  return Object.fromEntries(Object.entries(tag(packet)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// A packet, unless that would lose something: an integer as a float, a form that is longer than need be.
function read(bytes, form) {
  try {
    const packet = decode(bytes);
    return Number.isInteger(packet?.type) && encode(packet).equals(bytes) ? form(packet) : null;
  } catch {
    return null;
  }
}

function readPayload(body, form) {
  const packets = body.split(SEPARATOR).map((packet) => {
    const said = packet[0] === "b" ? read(Buffer.from(packet.slice(1), "base64"), form) : null;
    return said === null ? packet : `m${JSON.stringify(said)}`;
  });
  return packets.join(SEPARATOR);
}

/** The same line with its messages read. */
export function withMessages(line) {
  const form = line.from === "client" ? tagged : plain;
  if (line.binary !== undefined) {
    const said = read(Buffer.from(line.binary, "base64"), form);
    const { binary: _, ...rest } = line;
    return said === null ? line : { ...rest, msgpack: said };
  }
  for (const key of ["request", "response"]) {
    if (line[key]?.body !== undefined) return { ...line, [key]: { ...line[key], body: readPayload(line[key].body, form) } };
  }
  return line;
}
