// Records what the reference's parser does with about 200 packets and texts, one JSON Lines file a kind:
// encode.jsonl, decode.jsonl, valid.jsonl. The Python parser is replayed against them without Node.
//
//   node parser.mjs [output directory]        (default: ../traces/parser)
//
// Values that JSON has no form for are tagged, in the cases below and in the traces alike:
// {"$bytes": base64}, {"$number": "NaN"}, {"$date": ms}, {"$deep": n} (n arrays in one another),
// {"$circular": true}.

import { createRequire } from "node:module";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const { Encoder, Decoder, isPacketValid } = require("socket.io-parser");
const found = require.resolve("socket.io-parser");
const { version } = require(join(found.slice(0, found.lastIndexOf("socket.io-parser")), "socket.io-parser", "package.json"));

const bytes = (...values) => ({ $bytes: Buffer.from(values).toString("base64") });
const number = (text) => ({ $number: text });

// --- encode: [name, packet, options]; options.spelling: "free" where only the numbers' spelling may differ ---

const event = (...data) => ({ type: 2, nsp: "/", data });
const free = { spelling: "free" };
const ENCODE = [
  ["connect", { type: 0, nsp: "/" }],
  ["connect with auth", { type: 0, nsp: "/", data: { token: "123" } }],
  ["connect, empty auth", { type: 0, nsp: "/", data: {} }],
  ["connect to a namespace", { type: 0, nsp: "/woot" }],
  ["connect to a namespace with auth", { type: 0, nsp: "/woot", data: { token: "1,2" } }],
  ["connect to a namespace with a query", { type: 0, nsp: "/woot?a=b" }],
  ["connect reply with pid", { type: 0, nsp: "/", data: { sid: "abc", pid: "def" } }],
  ["connect with bytes in auth", { type: 0, nsp: "/", data: { b: bytes(1, 2) } }],
  ["disconnect", { type: 1, nsp: "/" }],
  ["disconnect from a namespace", { type: 1, nsp: "/woot" }],
  ["connect error", { type: 4, nsp: "/", data: { message: "Unauthorized" } }],
  ["connect error, namespace", { type: 4, nsp: "/woot", data: { message: "no", data: { code: 401 } } }],
  ["connect error, text", { type: 4, nsp: "/", data: "Unauthorized" }],
  ["connect error, null in data", { type: 4, nsp: "/", data: { message: "no", data: null } }],
  ["connect error with bytes", { type: 4, nsp: "/", data: { message: "no", data: bytes(255) } }],
  ["event", event("a", 1, {})],
  ["event, name only", event("a")],
  ["event, empty name", event("")],
  ["event, number as a name", event(1, "a")],
  ["event, negative number as a name", event(-1)],
  ["event, id", { ...event("a"), id: 1 }],
  ["event, id 0", { ...event("a"), id: 0 }],
  ["event, largest id", { ...event("a"), id: 9007199254740991 }],
  ["event, namespace", { ...event("a", 1), nsp: "/test" }],
  ["event, namespace and id", { ...event("a", 1), nsp: "/test", id: 123 }],
  ["event, namespace with slashes", { ...event("a"), nsp: "/a/b/" }],
  ["event, namespace of digits", { ...event("a"), nsp: "/1" }],
  ["event, namespace with a dash", { ...event("a"), nsp: "/a-b" }],
  ["event, namespace with a bracket", { ...event("a"), nsp: "/a[\"b\"]" }],
  ["event, namespace beyond ASCII", { ...event("a"), nsp: "/日本" }],
  ["event, all plain values", event("a", null, true, false, 0, -1, "x", [], {})],
  ["event, nested", event("a", { b: { c: [1, [2, { d: "e" }]] } })],
  ["event, placeholder without bytes", event("a", { _placeholder: true, num: 0 })],
  ["event, keys that look special", event("a", { "": 1, "a.b": 2, constructor: 3, toString: 4 })],
  ["event, order of keys", event("a", { z: 1, a: 2, m: 3 })],
  ["text: quotes and backslashes", event("a", "\"\\/")],
  ["text: control characters", event("a", "\b\t\n\f\r\u0000\u0001\u001f\u007f\u0080")],
  ["text: separators", event("a", "\u2028\u2029\u001e")],
  ["text: beyond the BMP", event("a", "é日😀")],
  ["text: high surrogate alone", event("a", "\ud83d")],
  ["text: low surrogate alone", event("a", "x\ude00y")],
  ["text: surrogates the wrong way round", event("a", "\ude00\ud83d")],
  ["text: surrogate in a key", event("a", { "\ud800": "\udfff" })],
  ["text: surrogate beside other text", event("a", "日\ud800😀")],
  ["text: a comma, a dash, brackets", event("a,b-c[d]{e}", "52-/x,1")],
  ["text: markup", event("a", "</script>&<>")],
  ["number: integers", event("a", 0, 1, -1, 2147483647, -2147483648, 9007199254740991)],
  ["number: fractions", event("a", 0.5, -0.25, 1.5, 123.456, 0.1, 0.30000000000000004)],
  ["number: small", event("a", 0.0001, 0.00001, 0.000015), free],
  ["number: very small", event("a", 1e-6, 1e-7, 1.25e-7, 5e-324, 1e-100), free],
  ["number: large", event("a", 1e15, 1e16, 1e20, 1e21, 1.5e300, 1.7976931348623157e308), free],
  ["number: NaN", event("a", number("NaN"))],
  ["number: infinities", event("a", number("Infinity"), number("-Infinity"))],
  ["number: NaN in an object", event("a", { b: [number("NaN")] })],
  ["number: minus zero", event("a", number("-0")), free],
  ["date", event("a", { $date: 0 }, { $date: 1700000000123 })],
  ["date in a year before 1970", event("a", [{ $date: -1 }])],
  ["binary: one", event("a", bytes(1, 2, 3))],
  ["binary: empty", event("a", bytes())],
  ["binary: two", event("a", bytes(1), bytes(2))],
  ["binary: nested", event("a", { b: bytes(1), c: [{ d: bytes(2) }] }, bytes(3))],
  ["binary: depth first", event("a", { z: { y: bytes(1) }, a: bytes(2) }, [[bytes(3)], bytes(4)])],
  ["binary: the same bytes twice", event("a", bytes(7), bytes(7))],
  ["binary: namespace and id", { ...event("a", bytes(1)), nsp: "/test", id: 23 }],
  ["binary: beside other values", event("a", 1, null, "x", { k: bytes(9), n: null }, number("NaN"))],
  ["binary: beside a lone surrogate", event("a", bytes(5), "\ud800", bytes(6))],
  ["binary: ten", event("a", ...Array.from({ length: 10 }, (_, i) => bytes(i)))],
  ["binary: eleven", event("a", ...Array.from({ length: 11 }, (_, i) => bytes(i)))],
  ["binary: a placeholder of the caller", event("a", bytes(1), { _placeholder: true, num: 5 })],
  ["binary: a false placeholder of the caller", event("a", bytes(1), { _placeholder: false, num: 5 })],
  ["binary: a placeholder in a text", event("a", bytes(1), "{\"_placeholder\":true,\"num\":0}")],
  ["binary: a key that ends like one", event("a", bytes(1), { "x\"_placeholder": true, ",\"_placeholder": true })],
  ["ack", { type: 3, nsp: "/", data: ["a", 1, {}], id: 123 }],
  ["ack, no arguments", { type: 3, nsp: "/", data: [], id: 0 }],
  ["ack, namespace", { type: 3, nsp: "/back", data: [{}], id: 12 }],
  ["ack, reserved word as an argument", { type: 3, nsp: "/", data: ["connect"], id: 1 }],
  ["ack, binary", { type: 3, nsp: "/back", data: ["a", bytes(1, 2), {}], id: 127 }],
  ["ack, binary in the main namespace", { type: 3, nsp: "/", data: [bytes(255, 0)], id: 5 }],
  ["reserved name: connect", event("connect")],
  ["reserved name: disconnecting", event("disconnecting")],
  ["circular", event("a", { $circular: true })],
];

// --- decode: [name, chunks, options] ---

const deep = (n) => "[".repeat(n) + "]".repeat(n);
const DECODE = [
  ["connect", ["0"]],
  ["connect with auth", ['0{"token":"123"}']],
  ["connect, namespace", ["0/woot"]],
  ["connect, namespace and comma", ["0/woot,"]],
  ["connect, namespace and auth", ['0/woot,{"token":"1,2"}']],
  ["connect, namespace with a query", ["0/woot?a=b,"]],
  ["connect with an id", ["00"]],
  ["connect with an id and auth", ["01{}"]],
  ["connect, null", ["0null"]],
  ["connect, list", ["0[]"]],
  ["connect, text", ['0"x"']],
  ["connect, number after a space", ["0 1"]],
  ["connect, true", ["0true"]],
  ["connect, not JSON", ["0{"]],
  ["disconnect", ["1"]],
  ["disconnect, namespace", ["1/woot,"]],
  ["disconnect, namespace without comma", ["1/woot"]],
  ["disconnect with an id", ["17"]],
  ["disconnect, object", ["1{}"]],
  ["disconnect, null", ["1null"]],
  ["disconnect, not JSON", ["1x"]],
  ["connect error", ['4{"message":"no"}']],
  ["connect error, text", ['4"no"']],
  ["connect error, nothing", ["4"]],
  ["connect error, list", ["4[]"]],
  ["connect error, number", ["4/a,1.5"]],
  ["connect error, null", ["4null"]],
  ["event", ['2["a",1,{}]']],
  ["event, nothing", ["2"]],
  ["event, namespace, nothing", ["2/a,"]],
  ["event, id, nothing", ["212"]],
  ["event, id", ['21["a"]']],
  ["event, id 0", ['20["a"]']],
  ["event, id with zeros", ['2007["a"]']],
  ["event, largest id", ['29007199254740991["a"]']],
  ["event, id too large", ['29007199254740992["a"]']],
  ["event, id of 21 digits", ['2299999999999999999999["a"]']],
  ["event, id of 1000 digits", ["2" + "9".repeat(1000) + '["a"]']],
  ["event, id of other digits", ['2٣["a"]']],
  ["event, superscript id", ['2²["a"]']],
  ["event, negative id", ['2-1["a"]']],
  ["event, id with a sign", ['2+1["a"]']],
  ["event, id with a point", ['21.5["a"]']],
  ["event, id with an exponent", ['21e1["a"]']],
  ["event, space for an id", ['2 ["a"]']],
  ["event, tab for an id", ['2\t["a"]']],
  ["event, line end for an id", ['2\n["a"]']],
  ["event, space in an id", ['21 2["a"]']],
  ["event, space after an id", ['21 ["a"]']],
  ["event, space inside", ['2[ "a" , 1 ]']],
  ["event, space behind", ['2["a"] ']],
  ["event, namespace", ['2/test,["a"]']],
  ["event, namespace and id", ['2/test,123["a"]']],
  ["event, namespace without comma", ['2/test["x"]']],
  ["event, namespace with a comma in the data", ['2/test["x",1]']],
  ["event, namespace of a slash", ['2/,["a"]']],
  ["event, namespace of digits", ['2/1,2["a"]']],
  ["event, namespace beyond ASCII", ['2/日本,["a"]']],
  ["event, id before the namespace", ['21/test,["a"]']],
  ["event, number as a name", ["2[1,2]"]],
  ["event, fraction as a name", ["2[1.5]"]],
  ["event, empty name", ['2[""]']],
  ["event, no name", ["2[]"]],
  ["event, object as a name", ["2[{}]"]],
  ["event, object with toString as a name", ['2[{"toString":"foo"}]']],
  ["event, list as a name", ["2[[]]"]],
  ["event, null as a name", ["2[null]"]],
  ["event, true as a name", ["2[true]"]],
  ["event, object", ['2{"0":"a"}']],
  ["event, text", ['2"a"']],
  ["event, null", ["2null"]],
  ["event, not JSON", ['2["a"']],
  ["event, JSON and more", ['2["a"]x']],
  ["event, two lists", ['2["a"]["b"]']],
  ["event, trailing comma", ['2["a",]']],
  ["event, single quotes", ["2['a']"]],
  ["event, comment", ['2["a"/*x*/]']],
  ["event, NaN", ['2["a",NaN]']],
  ["event, Infinity", ['2["a",Infinity]']],
  ["event, minus Infinity", ['2["a",-Infinity]']],
  ["event, undefined", ['2["a",undefined]']],
  ["event, BOM", ['2\ufeff["a"]']],
  ["event, NUL", ['2["a"]\u0000']],
  ["event, control character in a text", ['2["a\u0001"]']],
  ["event, escaped NUL", ['2["a\\u0000"]']],
  ["event, bad escape", ['2["\\x41"]']],
  ["event, bad unicode escape", ['2["\\u00zz"]']],
  ["event, escapes", ['2["\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"]']],
  ["event, lone surrogate escaped", ['2["a","\\ud800"]']],
  ["event, lone surrogate escaped in a key", ['2["a",{"\\udfff":1}]']],
  ["event, surrogates escaped the wrong way round", ['2["a","\\ude00\\ud83d"]']],
  ["event, duplicate keys", ['2["a",{"b":1,"c":2,"b":3}]']],
  ["event, __proto__", ['2["a",{"__proto__":{"x":1}}]']],
  ["event, leading zero", ['2["a",01]']],
  ["event, plus", ['2["a",+1]']],
  ["event, no digit after the point", ['2["a",1.]']],
  ["event, no digit before the point", ['2["a",.5]']],
  ["event, hexadecimal", ['2["a",0x10]']],
  ["event, numbers", ['2["a",0,-1,1.5,1e3,1E-3,123456789012]']],
  ["event, minus zero", ['2["a",-0]']],
  ["event, 2**53", ['2["a",9007199254740991,9007199254740993]']],
  ["event, 64 bits", ['2["a",9223372036854775807,-9223372036854775808,18446744073709551615]']],
  ["event, beyond 64 bits", ['2["a",18446744073709551616,590295810358705700000]']],
  ["event, 300 digits", ['2["a",' + "1".repeat(300) + "]"]],
  ["event, 400 digits", ['2["a",' + "1".repeat(400) + "]"]],
  ["event, 5000 digits", ['2["a",' + "1".repeat(5000) + "]"]],
  ["event, number too large", ['2["a",1e400]']],
  ["event, number too small", ['2["a",1e-400]']],
  ["event, 127 lists in the list", ['2["a",' + deep(127) + "]"]],
  ["event, 128 lists in the list", ['2["a",' + deep(128) + "]"]],
  ["event, 5000 lists in the list", ['2["a",' + deep(5000) + "]"]],
  ["event, 200 brackets in a text", ['2["a","' + "[".repeat(200) + '"]']],
  ["event, 200 lists side by side", ['2["a"' + ",[]".repeat(200) + "]"]],
  ["event, placeholder without attachments", ['2["a",{"_placeholder":true,"num":0}]']],
  ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map((name) => [
    `reserved name: ${name}`, [`2["${name}"]`]]),
  ["reserved name, escaped", ['2["\\u0063onnect"]']],
  ["reserved name, binary", ['51-["connect"]']],
  ["not reserved: connection", ['2["connection"]']],
  ["not reserved: error", ['2["error","x"]']],
  ["not reserved: Connect", ['2["Connect"]']],
  ["not reserved: __proto__", ['2["__proto__"]']],
  ["ack", ['3123["a",1,{}]']],
  ["ack, no arguments", ["31[]"]],
  ["ack, nothing", ["31"]],
  ["ack, no id", ["3[]"]],
  ["ack, nothing at all", ["3"]],
  ["ack, namespace", ["3/back,12[{}]"]],
  ["ack, reserved word as an argument", ['31["connect"]']],
  ["ack, object", ["31{}"]],
  ["ack, text", ['31"x"']],
  ["ack, null", ["31null"]],
  ["type: nothing", [""]],
  ["type: space", [" "]],
  ["type: space before an event", [' 2["a"]']],
  ["type: 7", ["7"]],
  ["type: 9", ['9["a"]']],
  ["type: letter", ["a"]],
  ["type: list", ['["a"]']],
  ["type: minus", ["-1"]],
  ["type: Arabic digit", ['٢["a"]']],
  ["type: wide digit", ['２["a"]']],
  ["type: surrogate", ["😀"]],
  ["binary", ['51-["a",{"_placeholder":true,"num":0}]', bytes(1, 2)]],
  ["binary: empty attachment", ['51-["a",{"_placeholder":true,"num":0}]', bytes()]],
  ["binary: two", ['52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', bytes(1), bytes(2)]],
  ["binary: the other way round", ['52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]', bytes(1), bytes(2)]],
  ["binary: namespace and id", ['51-/test,23["a",{"_placeholder":true,"num":0}]', bytes(1)]],
  ["binary: nested", ['52-["a",{"b":[{"_placeholder":true,"num":0}],"c":{"d":{"_placeholder":true,"num":1}}}]', bytes(1), bytes(2)]],
  ["binary: one number twice", ['51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]', bytes(1)]],
  ["binary: no placeholder", ['51-["a"]', bytes(1)]],
  ["binary: no data", ["51-", bytes(1)]],
  ["binary: other keys in the placeholder", ['51-["a",{"x":1,"num":0,"_placeholder":true}]', bytes(1)]],
  ["binary: placeholder as the name", ['51-[{"_placeholder":true,"num":0}]']],
  ["binary: placeholder that is not true", ['51-["a",{"_placeholder":1,"num":0},{"_placeholder":"true","num":0}]', bytes(1)]],
  ["binary: placeholder without a number", ['51-["a",{"_placeholder":true}]', bytes(1)]],
  ["binary: num a text", ['51-["a",{"_placeholder":true,"num":"splice"}]', bytes(1)]],
  ["binary: num a digit as a text", ['51-["a",{"_placeholder":true,"num":"0"}]', bytes(1)]],
  ["binary: num too large", ['51-["a",{"_placeholder":true,"num":1}]', bytes(1)]],
  ["binary: num negative", ['51-["a",{"_placeholder":true,"num":-1}]', bytes(1)]],
  ["binary: num minus zero", ['51-["a",{"_placeholder":true,"num":-0}]', bytes(1)]],
  ["binary: num a fraction", ['51-["a",{"_placeholder":true,"num":0.5}]', bytes(1)]],
  ["binary: num a whole fraction", ['51-["a",{"_placeholder":true,"num":0.0}]', bytes(1)]],
  ["binary: num true", ['52-["a",{"_placeholder":true,"num":true}]', bytes(1), bytes(2)]],
  ["binary: num null", ['51-["a",{"_placeholder":true,"num":null}]', bytes(1)]],
  ["binary: num a list", ['51-["a",{"_placeholder":true,"num":[0]}]', bytes(1)]],
  ["binary: two packets", ['51-["a",{"_placeholder":true,"num":0}]', bytes(1), '2["b"]', '51-["c",{"_placeholder":true,"num":0}]', bytes(2)]],
  ["binary: ten", ["510-" + JSON.stringify(["a", ...Array.from({ length: 10 }, (_, num) => ({ _placeholder: true, num }))]), ...Array.from({ length: 10 }, (_, i) => bytes(i))]],
  ["binary: eleven", ['511-["a"]']],
  ["binary: eleven, allowed", ['511-["a"]', ...Array.from({ length: 11 }, (_, i) => bytes(i))], { maxAttachments: 11 }],
  ["binary: three, two allowed", ['53-["a"]'], { maxAttachments: 2 }],
  ["binary: one missing", ['52-["a"]', bytes(1)]],
  ["binary ack", ['61-/back,127["a",{"_placeholder":true,"num":0}]', bytes(1, 2)]],
  ["binary ack, no id", ['61-[{"_placeholder":true,"num":0}]', bytes(1)]],
  ["binary ack, object", ["61-1{}"]],
  ["binary event, object", ["51-{}"]],
  ["binary event, no name", ["51-[]"]],
  ["count: none", ['5["a"]']],
  ["count: none, dash", ['5-["a"]']],
  ["count: zero", ['50-["a"]']],
  ["count: zero, ack", ["60-1[]"]],
  ["count: zeros", ['500-["a"]']],
  ["count: leading zero", ['501-["a"]', bytes(1)]],
  ["count: no dash", ['51["a"]']],
  ["count: type only", ["5"]],
  ["count: digits only", ["51"]],
  ["count: negative", ['5-1-["a"]']],
  ["count: fraction", ['51.5-["a"]']],
  ["count: whole fraction", ['51.0-["a"]']],
  ["count: exponent", ['51e0-["a"]']],
  ["count: hexadecimal", ['50x1-["a"]']],
  ["count: space", ['5 1-["a"]']],
  ["count: space only", ['5 -["a"]']],
  ["count: letter", ['5a-["a"]']],
  ["count: Arabic digit", ['5١-["a"]']],
  ["count: 25 digits", ['5' + "9".repeat(25) + '-["a"]']],
  ["count: 1000 digits", ['5' + "9".repeat(1000) + '-["a"]']],
  ["count: Infinity", ['5Infinity-["a"]']],
  ["count: namespace before it", ['5/a,1-["a"]']],
  ["order: bytes first", [bytes(1)]],
  ["order: bytes after a text packet", ['2["a"]', bytes(1)]],
  ["order: one attachment too many", ['51-["a"]', bytes(1), bytes(2)]],
  ["order: text while an attachment is missing", ['51-["a"]', '2["b"]']],
  ["order: empty text while an attachment is missing", ['51-["a"]', ""]],
];

// --- valid: packets for isPacketValid ---

const VALID = [
  { type: 0, nsp: "/" }, { type: 0, nsp: "/", data: {} }, { type: 0, nsp: "/", data: [] }, { type: 0, nsp: "/", data: "x" },
  { type: 1, nsp: "/" }, { type: 1, nsp: "/", data: {} },
  { type: 2, nsp: "/", data: ["a"] }, { type: 2, nsp: "/admin", data: [1, {}], id: 0 }, { type: 2, nsp: "/", data: [] },
  { type: 2, nsp: "/" }, { type: 2, nsp: "/", data: {} }, { type: 2, nsp: "/", data: [true] }, { type: 2, nsp: "/", data: [null] },
  { type: 2, nsp: "/", data: ["disconnect"] }, { type: 2, nsp: "/", data: ["newListener"] },
  { type: 2, nsp: 1, data: ["a"] }, { type: 2, data: ["a"] },
  { type: 2, nsp: "/", data: ["a"], id: "1" }, { type: 2, nsp: "/", data: ["a"], id: 1.5 }, { type: 2, nsp: "/", data: ["a"], id: true },
  { type: 2, nsp: "/", data: ["a"], id: -1 },
  { type: 3, nsp: "/", data: [] }, { type: 3, nsp: "/", data: {} }, { type: 3, nsp: "/" },
  { type: 4, nsp: "/", data: "x" }, { type: 4, nsp: "/", data: { message: "x" } }, { type: 4, nsp: "/" }, { type: 4, nsp: "/", data: [] },
  { type: 5, nsp: "/", data: ["a"] }, { type: 6, nsp: "/", data: [] }, { type: 7, nsp: "/" }, { type: "2", nsp: "/", data: ["a"] },
];

// --- recording ---

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return Buffer.from(value.$bytes, "base64");
  if ("$number" in value) return Number(value.$number);
  if ("$date" in value) return new Date(value.$date);
  if ("$circular" in value) {
    const circle = {};
    circle.self = circle;
    return circle;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}

function tag(value) {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString("base64") };
  if (Array.isArray(value)) return Array.from(value, (item) => (item === undefined ? { $undefined: true } : tag(item)));
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) return number(Object.is(value, -0) ? "-0" : String(value));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tag(item)]));
}

function tagDeep(data) {
  // ["a", [[[...]]]]: what the cases about depth decode to.
  if (Array.isArray(data) && data.length === 2 && Array.isArray(data[1])) {
    let depth = 0;
    let inner = data[1];
    while (Array.isArray(inner) && inner.length <= 1) {
      depth += 1;
      if (inner.length === 0) return depth > 3 ? [data[0], { $deep: depth }] : tag(data);
      inner = inner[0];
    }
  }
  return tag(data);
}

const encoded = ENCODE.map(([name, packet, options = {}]) => {
  try {
    return { name, packet, messages: new Encoder().encode(revive(packet)).map(tag), ...options };
  } catch (error) {
    return { name, packet, error: error.message };
  }
});

const decoded = DECODE.map(([name, chunks, options]) => {
  const decoder = new Decoder(options);
  const packets = [];
  decoder.on("decoded", (packet) => packets.push({ ...packet, data: tagDeep(packet.data) }));
  const line = { name, ...(options && { options }), chunks, packets };
  for (const [at, chunk] of chunks.entries()) {
    try {
      decoder.add(revive(chunk));
    } catch (error) {
      return { ...line, error: error.message, at };
    }
  }
  return { ...line, pending: Boolean(decoder.reconstructor) };
});

const valid = VALID.map((packet) => ({ packet, valid: isPacketValid(packet) }));

const directory = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "..", "traces", "parser");
mkdirSync(directory, { recursive: true });
for (const [scenario, lines] of Object.entries({ encode: encoded, decode: decoded, valid })) {
  const provenance = {
    trace: "parser", scenario, package: "socket.io-parser", version, node: process.version,
    recorded: new Date().toISOString().slice(0, 10),
  };
  writeFileSync(join(directory, `${scenario}.jsonl`), [provenance, ...lines].map((line) => JSON.stringify(line) + "\n").join(""));
  console.log(`${scenario}: ${lines.length} cases`);
}
