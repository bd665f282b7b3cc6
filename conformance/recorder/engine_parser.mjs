// Records what the engine's parsers do with packets and payloads, valid and not: protocol4.jsonl (engine.io-parser),
// protocol3.jsonl (engine.io's own copy of the old one) and jsonp.jsonl (its JSONP transport, both protocols).
//
//   node engine_parser.mjs [--check]
//
// A case is {name, op, ...}: encode_packet and encode_payload have `packets` and `binary` (whether the client takes
// bytes) and the `result`, decode_packet and decode_payload `data` and the `packets` in it. Bytes are
// {"$bytes": base64}.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { saveTrace } from "./policy_trace.mjs";

const require = createRequire(import.meta.url);
const build = dirname(require.resolve("engine.io"));
const v4 = createRequire(join(build, "engine.io.js"))("engine.io-parser");
const v3 = require(join(build, "parser-v3", "index.js"));
const { JSONP } = require(join(build, "transports", "polling-jsonp.js"));

const bytes = (...values) => ({ $bytes: Buffer.from(values).toString("base64") });
const latin = (text) => ({ $bytes: Buffer.from(text, "latin1").toString("base64") });
const revive = (value) => (value !== null && typeof value === "object" ? Buffer.from(value.$bytes, "base64") : value);
const tag = (value) => (Buffer.isBuffer(value) ? { $bytes: value.toString("base64") } : value);
const tagPacket = ({ type, data }) => ({ ...(type !== undefined && { type }), ...(data !== undefined && { data: tag(data) }) });

// --- what is encoded ---

const message = (data) => ({ type: "message", data });
const TEXTS = {
  empty: "", word: "hello", digits: "123", "looks like binary": "bAQID", separator: "a\x1eb", colon: "3:4a",
  "line ends": "a\nb\r\nc", backslashes: "\\n \\\\n \\", quotes: "\"'</script>", control: "\x00\x01\x1f\x7f",
  latin: "é", euro: "€", "line separators": "a\u2028b\u2029c", "beyond the BMP": "😀", mixed: "aé€😀",
  "high surrogate": "a\ud83d", "low surrogate": "\ude00b", "surrogates reversed": "\ude00\ud83d", BOM: "\ufeffa",
  long: "x".repeat(200), "long beyond ASCII": "€".repeat(100),
};
const BUFFERS = {
  "no bytes": bytes(), "one byte": bytes(0), "two bytes": bytes(1, 255), "three bytes": bytes(1, 2, 3),
  "four bytes": bytes(1, 2, 3, 4), "text as bytes": latin("4hello"), "bytes of base64 beyond words": bytes(251, 255, 191),
  "a hundred bytes": bytes(...Array.from({ length: 100 }, (_, i) => i)),
};
const PACKETS = [
  ...Object.entries(TEXTS).map(([name, data]) => [`text: ${name}`, message(data)]),
  ...Object.entries(BUFFERS).map(([name, data]) => [`binary: ${name}`, message(data)]),
  ["open", { type: "open", data: '{"sid":"x"}' }], ["close", { type: "close" }], ["ping", { type: "ping" }],
  ["pong", { type: "pong" }], ["pong probe", { type: "pong", data: "probe" }], ["noop", { type: "noop" }],
];
const PAYLOADS = [
  ...PACKETS.map(([name, packet]) => [`one ${name}`, [packet]]),
  ["two texts", [message("a"), message("b")]],
  ["text and binary", [message("€"), message(bytes(1, 2, 3, 4))]],
  ["binary and text", [message(bytes(1)), message("😀")]],
  ["two binaries", [message(bytes(1)), message(bytes(2))]],
  ["all kinds", [{ type: "open", data: "{}" }, message("a\ud800"), message(bytes()), { type: "noop" }, { type: "close" }]],
  ["noop and close", [{ type: "noop" }, { type: "close" }]],
  ["ten lengths of digits", [message("x".repeat(8)), message("x".repeat(9)), message("x".repeat(98)), message("x".repeat(99))]],
];

// --- what is decoded ---

const TEXT_PACKETS = [
  "", "0", "0{}", "1", "1x", "2", "2probe", "3", "3probe", "4", "4a", "4€😀", "4\x1e", "5", "6", "7", "9a", "a", "c", " 4a", "-4", "٤a",
  "４a", "\ufeff4a", "😀", "b", "bAQIDBA==", "bAQIDBA", "b4", "b4AQIDBA==", "b4AQIDBA", "b4-_8=", "b4AQ==AQ==", "b4 A\nQ", "b4€", "b1", "b2",
  "b3", "b5AQ==", "b6", "b7AQ==", "bb", "b=", "B4AQ==",
];
const BINARY_PACKETS = [
  bytes(), bytes(0), bytes(1), bytes(2), bytes(3), bytes(4), bytes(5), bytes(6), bytes(7), bytes(255), bytes(4, 1, 2, 3), bytes(4, 4),
  bytes(52, 97), latin("bAQ=="), bytes(2, 112),
];
const TEXT_PAYLOADS_4 = [
  "4a\x1e4b", "4a\x1ebAQIDBA==", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "4a\x1e9\x1e4b", "4a\x1e1\x1e4b", "6\x1e4a", "4\x1e4\x1e4",
  "5\x1e0\x1e4a", "4é\x1e4€\x1e4😀", "b\x1e4a", "3:4ab", "4a\x1e2\x1e4b", "4a\x1e3\x1e4b", "4\ufffd",
];
const TEXT_PAYLOADS_3 = [
  "0:", "1:4", "2:4a", "6:4hello", "2:4a2:4b", "2:4a3:4€€2:4b", "3:4😀", "3:4😀2:4a", "2:4😀", "5:4😀😀1:6", "10:b4AQIDBA==", "2:4a10:b4AQIDBA==2:4b",
  "6:4hell", "6:4hello!", "2:4a2:9z2:4b", "3:4a2:4b", "2:4a:", ":", ":4a", "2:", "a:4a", "2:4a2", "2:4a2:", "2:4a2:4", "02:4a",
  "002:4a", "00:2:4a", "0:0:0:", "0:2:4a0:2:4b0:", "1:12:4a", "2:4a1:12:4b", "2:4a1:32:4b", "2:4a1:22:4b", "1:6", "1:61:1", "6:2probe2:4a", "6:3probe",
  "1:5", "2:7a", "1:b", "2:b4", "4:b4AQ", "2:b1", "2:b7", "2:b72:4a", "2:4\n2:4\x1e", "3:4::", "-1:4a", "+2:4a", " 2:4a", "2 :4a", "\n2:4a", ":2:4a",
  "2.0:4a", "1.5:4a", "1e0:4", "1e1:4123456789", "0x2:4a", "2e0:4a", "Infinity:4a", "NaN:4a", "-0:2:4a", "٢:4a", "２:4a", "2,4a",
  "9".repeat(20) + ":4a", "0".repeat(300) + "2:4a", "2" + "0".repeat(308) + ":4a", "2".repeat(50), "\ufeff2:4a", "4:4\ud83d\ude00a", "4a\x1e4b",
];
const form = (kind, digits, data) => Buffer.concat([Buffer.from([kind, ...digits, 255]), Buffer.isBuffer(data) ? data : Buffer.from(data, "utf8")]);
const join3 = (...parts) => tag(Buffer.concat(parts));
const BINARY_PAYLOADS_3 = [
  join3(), join3(form(0, [2], "4a")), join3(form(0, [4], "4€"), form(1, [5], Buffer.from([4, 1, 2, 3, 4]))), join3(form(1, [1], Buffer.from([4]))),
  join3(form(0, [2], "4a"), form(0, [2], "4b")), join3(form(0, [0, 2], "4a")), join3(form(0, [1, 1], "4xxxxxxxxxx")), join3(form(0, [9], "4a")),
  join3(form(1, [9], Buffer.from([4, 1]))), join3(form(1, [0], "")), join3(form(0, [0], "")), join3(form(0, [2], "4a"), form(0, [0], ""), form(0, [2], "4b")),
  join3(form(0, [0], ""), form(0, [2], "4a")), join3(form(1, [0], ""), form(0, [2], "4a")), join3(form(2, [2], "4a")), join3(form(255, [2], Buffer.from([4, 9]))),
  join3(form(4, [2], Buffer.from([4, 9]))), join3(form(1, [1], Buffer.from([7])), form(0, [2], "4a")), join3(form(1, [1], Buffer.from([2])), form(0, [2], "4a")),
  join3(form(1, [1], Buffer.from([1])), form(0, [2], "4a")), join3(form(1, [1], Buffer.from([3])), form(0, [2], "4a")), join3(form(0, [1], "1"), form(0, [2], "4a")),
  join3(form(0, [1], "2"), form(0, [2], "4a")), join3(form(0, [2], "9a"), form(0, [2], "4a")), join3(form(0, [2], "4a"), form(0, [2], "9a"), form(0, [2], "4a")),
  join3(form(0, [1, 0], "b4AQIDBA==")), join3(form(0, [4], "b4AQ")), join3(form(0, [2], "b7"), form(0, [2], "4a")), join3(form(0, [1], "b"), form(0, [2], "4a")),
  join3(form(0, [5], "4😀")), join3(form(0, [3], "4😀")), join3(form(0, [2], Buffer.from([0x34, 0xff]))), join3(form(0, [2], Buffer.from([0x34, 0xc3]))),
  join3(form(0, [3], Buffer.from([0x34, 0xc0, 0x80]))), join3(form(0, [4], Buffer.from([0x34, 0xed, 0xa0, 0x80]))),
  join3(form(0, [7], Buffer.from([0x34, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]))), join3(form(0, [5], Buffer.from([0x34, 0xf4, 0x90, 0x80, 0x80]))),
  join3(form(0, [5], Buffer.from([0x34, 0xf0, 0x80, 0x80, 0x80]))), join3(form(0, [3], "é4")), join3(form(0, [5], Buffer.from("b4A\xff=", "latin1"))),
  join3(Buffer.from([0])), join3(Buffer.from([0, 2])), join3(Buffer.from([0, 255])), join3(Buffer.from([1, 255])), join3(Buffer.from([255])), join3(Buffer.from([0, 255]), form(0, [2], "4a")),
  join3(Buffer.from([1, 255]), form(0, [2], "4a")), join3(form(0, [2], "4a"), Buffer.from([0])), join3(form(0, [2], "4a"), Buffer.from([0, 2])), join3(form(0, [2], "4a"), Buffer.from([0, 2, 255])),
  join3(form(0, [10], "4xxxxxxxxxx")), join3(form(0, [12], "x4aaaaaaaaaaaaaaaa")), join3(form(1, [200], "xy\x04aaaa")), join3(form(0, [2, 254], "4a")),
  ...[300, 309, 310, 311, 312, 313, 400].flatMap((n) => [join3(form(0, [...Array(n - 1).fill(0), 2], "4a")), join3(form(0, Array(n).fill(9), "4a"))]),
  join3(form(0, [...Array(309).fill(0), 12], "..4a")), join3(form(0, [...Array(310).fill(0), 120], "...4a")), join3(Buffer.alloc(1000)), join3(Buffer.alloc(1000, 255)),
  join3(Buffer.from("2:4a")), join3(Buffer.from("4a\x1e4b")),
];

// --- JSONP ---

const JSONP_BODIES = (one, two, binary) => [
  `d=${one}`, `d=${two}`, `d=${binary}`, "d=", "d", "", "x=1", `d=${one}&d=${one}`, `d=${one}&x=1`, `x=1&d=${one}`, `%64=${one}`, `D=${one}`, `d%20=${one}`, `&&d=${one}&`, `=${one}`,
  `${"x&".repeat(999)}d=${one}`, `${"x&".repeat(1000)}d=${one}`, `${"&".repeat(999)}d=${one}`, `${"&".repeat(1000)}d=${one}`, `d=${one}${"&x".repeat(2000)}`, `d[]=${one}`, one,
];
const ESCAPES = ["\\n", "\\\\n", "\\\\\\n", "\\\\\\\\n", "a\\nb\\nc", "a\\\\nb\\n", "\n", "\\", "\\\\", "n", "\\t"];
const PERCENT = ["%34a", "4+a", "4%2Ba", "4%E2%82%AC", "4€", "4%", "4%4", "4%zz", "4%FF", "4%E2%82", "4%ED%A0%80", "4%26%3D", "4=a", "4%00", "4%F0%9F%98%80"];
const INDEXES = ["0", "12", "1a2", "", "abc", "-1", "1.5", "٣", "12345678901234567890", ");alert(1)//"];

// --- recording ---

function encodePacket(parser, packet, binary) {
  let result;
  const revived = { ...packet, ...("data" in packet && { data: revive(packet.data) }) };
  parser.encodePacket(revived, binary, (encoded) => (result = encoded));
  return tag(result);
}

function encodePayload(parser, packets, binary) {
  let result;
  const revived = packets.map((packet) => ({ ...packet, ...("data" in packet && { data: revive(packet.data) }) }));
  const done = (encoded) => (result = encoded);
  if (parser === v3) parser.encodePayload(revived, binary, done);
  else parser.encodePayload(revived, done);
  return tag(result);
}

function decodePayload(parser, data) {
  const packets = [];
  const take = (packet) => void packets.push(tagPacket(packet));
  if (parser === v3) parser.decodePayload(revive(data), take);
  else parser.decodePayload(data).forEach(take);
  return packets;
}

const short = (text) => (text.length > 60 ? `${text.slice(0, 40)}…${text.slice(-12)} (${text.length})` : text);
const show = (data) =>
  typeof data === "string" ? JSON.stringify(short(data)) : `bytes ${short(Buffer.from(data.$bytes, "base64").toString("hex"))}`;

function cases(parser, textPayloads, binaryPayloads) {
  const all = [];
  for (const binary of [true, false]) {
    const form = binary ? "binary" : "base64";
    for (const [name, packet] of PACKETS)
      all.push({ name: `encode packet, ${form}, ${name}`, op: "encode_packet", binary, packets: [packet], result: encodePacket(parser, packet, binary) });
    if (binary && parser === v4) continue; // its payloads are always base64
    for (const [name, packets] of PAYLOADS)
      all.push({ name: `encode payload, ${form}, ${name}`, op: "encode_payload", binary, packets, result: encodePayload(parser, packets, binary) });
  }
  for (const data of [...TEXT_PACKETS, ...BINARY_PACKETS])
    all.push({ name: `decode packet ${show(data)}`, op: "decode_packet", data, packets: [tagPacket(parser.decodePacket(revive(data)))] });
  for (const data of [...TEXT_PACKETS, ...textPayloads, ...binaryPayloads])
    all.push({ name: `decode payload ${show(data)}`, op: "decode_payload", data, packets: decodePayload(parser, data) });
  return all;
}

function transport(protocol, j) {
  const made = new JSONP({ _query: { j, EIO: String(protocol), b64: "1" } });
  made.httpCompression = false;
  return made;
}

function jsonpDecode(protocol, data) {
  const packets = [];
  const made = transport(protocol, "0");
  made.onPacket = (packet) => packets.push(tagPacket(packet));
  made.onClose = () => packets.push({ type: "close" });
  made.onData(data);
  return packets;
}

function jsonpEncode(protocol, j, packets) {
  let result;
  const made = transport(protocol, j);
  made.req = { headers: {}, cleanup() {} };
  made.res = { writeHead() {}, end: (body) => (result = body) };
  made.send(packets.map((packet) => ({ ...packet, ...("data" in packet && { data: revive(packet.data) }) })));
  return result;
}

function jsonpCases() {
  const all = [];
  for (const protocol of [4, 3]) {
    const wrap = (packet) => (protocol === 4 ? packet : `${packet.length}:${packet}`);
    const bodies = JSONP_BODIES(wrap("4a"), protocol === 4 ? "4a%1e4b" : "2:4a2:4b", protocol === 4 ? "bAQIDBA==" : "10:b4AQIDBA%3D%3D");
    for (const data of bodies) all.push({ name: `${protocol}: decode ${show(data)}`, protocol, op: "decode", data, packets: jsonpDecode(protocol, data) });
    if (protocol === 4) {
      for (const escape of ESCAPES) {
        const data = "d=" + encodeURIComponent(`4${escape}`);
        all.push({ name: `4: unescape ${show(escape)}`, protocol, op: "decode", data, packets: jsonpDecode(4, data) });
      }
      for (const text of PERCENT) all.push({ name: `4: percent ${show(text)}`, protocol, op: "decode", data: `d=${text}`, packets: jsonpDecode(4, `d=${text}`) });
    }
    for (const j of INDEXES) all.push({ name: `${protocol}: index ${show(j)}`, protocol, op: "encode", j, packets: [message("a")], result: jsonpEncode(protocol, j, [message("a")]) });
    for (const [name, packets] of PAYLOADS)
      all.push({ name: `${protocol}: encode ${name}`, protocol, op: "encode", j: "0", packets, result: jsonpEncode(protocol, "0", packets) });
  }
  return all;
}

const scenario = "packets and payloads, encoded and decoded";
saveTrace("engine_parser", "protocol4", "engine.io-parser", scenario, cases(v4, TEXT_PAYLOADS_4, []));
saveTrace("engine_parser", "protocol3", "engine.io", scenario, cases(v3, TEXT_PAYLOADS_3, BINARY_PAYLOADS_3));
saveTrace("engine_parser", "jsonp", "engine.io", "JSONP bodies, both ways", jsonpCases());
