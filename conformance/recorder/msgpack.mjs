// Records what socket.io-msgpack-parser does with packets and messages, one JSON Lines file a kind:
// msgpack_encode.jsonl, msgpack_decode.jsonl. The Python parser is replayed against them without Node.
//
//   node msgpack.mjs [--check]        (--check writes nothing and prints what would be recorded differently)
//
// Messages are hexadecimal; in a long one, "(91*20000)" stands for 20000 times 91.

import { createRequire } from "node:module";
import { saveTrace } from "./policy_trace.mjs";
import { bytes, number, revive, tag, tagDeep } from "./tagged.mjs";

const { Encoder, Decoder } = createRequire(import.meta.url)("socket.io-msgpack-parser");

// --- encode: [name, packet], with keys in the order in which socket.io 4.8 puts them into such a packet ---

const event = (...data) => ({ type: 2, data, nsp: "/" });
const repeat = (item, times) => ({ $repeat: [item, times] });
const keys = (length) => Object.fromEntries(Array.from({ length }, (_, i) => ["k" + i, i]));
const ENCODE = [
  ["connect", { type: 0, nsp: "/" }],
  ["connect with auth", { type: 0, data: { token: "123" }, nsp: "/" }],
  ["connect, empty auth", { type: 0, data: {}, nsp: "/" }],
  ["connect to a namespace", { type: 0, data: { sid: "abc", pid: "def" }, nsp: "/woot" }],
  ["connect with bytes in auth", { type: 0, data: { b: bytes(1, 2) }, nsp: "/" }],
  ["disconnect", { type: 1, nsp: "/" }],
  ["disconnect from a namespace", { type: 1, nsp: "/woot" }],
  ["connect error", { type: 4, data: { message: "no" }, nsp: "/" }],
  ["connect error with data", { type: 4, data: { message: "no", data: { code: 401, hint: null } }, nsp: "/woot" }],
  ["connect error, text", { type: 4, data: "no", nsp: "/" }],
  ["event", event("a", 1, {})],
  ["event, name only", event("a")],
  ["event, empty name", event("")],
  ["event, number as a name", event(1, "a")],
  ["event, id", { type: 2, data: ["a"], id: 1, nsp: "/" }],
  ["event, id 0", { type: 2, data: ["a"], id: 0, nsp: "/" }],
  ["event, id of two bytes", { type: 2, data: ["a"], id: 1000, nsp: "/" }],
  ["event, largest id", { type: 2, data: ["a"], id: 9007199254740991, nsp: "/" }],
  ["event, namespace", { type: 2, data: ["a"], nsp: "/test" }],
  ["event, long namespace", { type: 2, data: ["a"], nsp: "/" + "n".repeat(40) }],
  ["event, namespace beyond ASCII", { type: 2, data: ["a"], nsp: "/日本" }],
  ["event, namespace with a comma", { type: 2, data: ["a"], nsp: "/a,b" }],
  ["event, all plain values", event("a", null, true, false, 0, -1, "x", [], {})],
  ["event, nested", event("a", { b: { c: [1, [2, { d: "e" }]] } })],
  ["event, order of keys", event("a", { z: 1, a: 2, m: 3 })],
  ["event, placeholder", event("a", { _placeholder: true, num: 0 }, bytes(1))],
  ["event, keys that look special", event("a", { "": 1, "a.b": 2, constructor: 3, toString: 4 })],
  ["event, reserved name: connect", event("connect")],
  ["ack", { id: 123, type: 3, data: ["a", 1, {}], nsp: "/" }],
  ["ack, no arguments", { id: 0, type: 3, data: [], nsp: "/" }],
  ["ack, namespace", { id: 12, type: 3, data: [{}], nsp: "/back" }],
  ["ack, binary", { id: 127, type: 3, data: [bytes(1, 2)], nsp: "/" }],
  ["ack, reserved word as an argument", { id: 1, type: 3, data: ["connect"], nsp: "/" }],
  ...[0, 1, 31, 32, 255, 256, 65535, 65536].map((n) => [`text of ${n}`, event("a", repeat("x", n))]),
  ["text: beyond ASCII, 31 bytes", event("a", "é".repeat(15) + "x")],
  ["text: beyond ASCII, 32 bytes", event("a", "é".repeat(16))],
  ["text: beyond ASCII, long", event("a", "日本語".repeat(30))],
  ["text: beyond the BMP", event("a", "😀")],
  ["text: beyond the BMP, long", event("a", "😀".repeat(40))],
  ["text: NUL and separators", event("a", "\u0000\u001e\u2028\u2029\ufeff")],
  ["text: surrogate alone", event("a", "x\ud83dy")],
  ["text: surrogate alone, long", event("a", "x".repeat(40) + "\ud83d")],
  ["text: surrogate alone in a long key", event("a", { ["k".repeat(40) + "\udc00"]: 1 })],
  ["number: one byte", event("a", 0, 127, -1, -32)],
  ["number: two bytes", event("a", 128, 255, -33, -128)],
  ["number: three bytes", event("a", 256, 65535, -129, -32768)],
  ["number: five bytes", event("a", 65536, 4294967295, -32769, -2147483648)],
  ["number: nine bytes", event("a", 4294967296, 9007199254740991, -2147483649, -9007199254740991)],
  ["number: 2**53", event("a", 9007199254740992, 9007199254740994, -9007199254740992)],
  ["number: 63 bits", event("a", 4611686018427387904, 9223372036854775000, -9223372036854775808)],
  ["number: 2**64", event("a", 18446744073709551616)],
  ["number: 1e20", event("a", 1e20)],
  ["number: 1e21", event("a", 1e21)],
  ["number: fractions", event("a", 0.5, -0.25, 1.5, 123.456, 0.1, 0.30000000000000004)],
  ["number: small and large", event("a", 5e-324, 1e-7, 1.7976931348623157e308 / 3)],
  ["number: NaN and infinities", event("a", number("NaN"), number("Infinity"), number("-Infinity"))],
  ["number: minus zero", event("a", number("-0"))],
  ["date", event("a", { $date: 0 }, { $date: 1700000000123 })],
  ["date before 1970", event("a", { $date: -1 }, { $date: -62135596800000 })],
  ["date in 9999", event("a", [{ d: { $date: 253402300799999 } }])],
  ["binary: empty", event("a", bytes())],
  ["binary: one, nested", event("a", bytes(1, 2, 3), { b: [bytes(255)] })],
  ["binary: eleven", event("a", ...Array.from({ length: 11 }, (_, i) => bytes(i)))],
  ...[255, 256, 65535, 65536].map((n) => [`binary of ${n}`, event("a", repeat(bytes(7), n))]),
  ...[15, 16, 65535, 65536].map((n) => [`list of ${n}`, event("a", repeat(7, n))]),
  ...[15, 16, 70].map((n) => [`object of ${n}`, event("a", keys(n))]),
  ["127 lists in the list", event("a", { $deep: 127 })],
  ["128 lists in the list", event("a", { $deep: 128 })],
  ["circular", event("a", { $circular: true })],
];

// --- decode: [name, message] ---

const text = (value) => {
  const hex = Buffer.from(value).toString("hex");
  return (0xa0 + hex.length / 2).toString(16) + hex;
};
const packet = (...members) => (0x80 + members.length).toString(16) + members.join("");
const TYPE = (value) => text("type") + value;
const DATA = (value) => text("data") + value;
const NSP = text("nsp") + text("/");
const ID = (value) => text("id") + value;
const UNDEFINED = "d40000";
const NAMED = "92" + text("a"); // a list of two, the first a name
const carrying = (value) => packet(TYPE("02"), DATA(NAMED + value), NSP);
const DECODE = [
  ["connect", packet(TYPE("00"), NSP)],
  ["connect, undefined as data", packet(TYPE("00"), DATA(UNDEFINED), NSP)],
  ["connect, undefined as data and as id", packet(TYPE("00"), DATA(UNDEFINED), ID(UNDEFINED), NSP)],
  ["connect with auth", packet(TYPE("00"), DATA("81" + text("token") + text("x")), NSP)],
  ["connect, nil", packet(TYPE("00"), DATA("c0"), NSP)],
  ["connect, list", packet(TYPE("00"), DATA("90"), NSP)],
  ["connect, text", packet(TYPE("00"), DATA(text("x")), NSP)],
  ["connect, date", packet(TYPE("00"), DATA("d7000000000000000000"), NSP)],
  ["connect, bytes", packet(TYPE("00"), DATA("c40101"), NSP)],
  ["disconnect", packet(TYPE("01"), NSP)],
  ["disconnect, undefined", packet(TYPE("01"), DATA(UNDEFINED), NSP)],
  ["disconnect, nil", packet(TYPE("01"), DATA("c0"), NSP)],
  ["disconnect, object", packet(TYPE("01"), DATA("80"), NSP)],
  ["connect error", packet(TYPE("04"), DATA("81" + text("message") + text("no")), NSP)],
  ["connect error, text", packet(TYPE("04"), DATA(text("no")), NSP)],
  ["connect error, nothing", packet(TYPE("04"), NSP)],
  ["connect error, list", packet(TYPE("04"), DATA("90"), NSP)],
  ["event", packet(TYPE("02"), DATA("91" + text("a")), NSP)],
  ["event, as a client sends it", packet(TYPE("02"), DATA("91" + text("a")), text("options") + "81" + text("compress") + "c3", NSP)],
  ["event, keys in another order", packet(NSP, ID("07"), DATA("91" + text("a")), TYPE("02"))],
  ["event, keys that nobody knows", packet(TYPE("02"), DATA("91" + text("a")), text("x") + "90", NSP)],
  ["event, no data", packet(TYPE("02"), NSP)],
  ["event, undefined", packet(TYPE("02"), DATA(UNDEFINED), NSP)],
  ["event, nil", packet(TYPE("02"), DATA("c0"), NSP)],
  ["event, object", packet(TYPE("02"), DATA("80"), NSP)],
  ["event, text", packet(TYPE("02"), DATA(text("a")), NSP)],
  ["event, no name", packet(TYPE("02"), DATA("90"), NSP)],
  ["event, number as a name", packet(TYPE("02"), DATA("9101"), NSP)],
  ["event, fraction as a name", packet(TYPE("02"), DATA("91cb3ff8000000000000"), NSP)],
  ["event, NaN as a name", packet(TYPE("02"), DATA("91cb7ff8000000000000"), NSP)],
  ["event, nil as a name", packet(TYPE("02"), DATA("91c0"), NSP)],
  ["event, undefined as a name", packet(TYPE("02"), DATA("91" + UNDEFINED), NSP)],
  ["event, true as a name", packet(TYPE("02"), DATA("91c3"), NSP)],
  ["event, bytes as a name", packet(TYPE("02"), DATA("91c40161"), NSP)],
  ["event, object as a name", packet(TYPE("02"), DATA("9180"), NSP)],
  ["event, list as a name", packet(TYPE("02"), DATA("9190"), NSP)],
  ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map((name) => [
    `reserved name: ${name}`, packet(TYPE("02"), DATA("91" + text(name)), NSP)]),
  ["not reserved: connection", packet(TYPE("02"), DATA("91" + text("connection")), NSP)],
  ["ack", packet(ID("05"), TYPE("03"), DATA("91" + text("a")), NSP)],
  ["ack, no arguments", packet(ID("05"), TYPE("03"), DATA("90"), NSP)],
  ["ack, no id", packet(TYPE("03"), DATA("90"), NSP)],
  ["ack, nothing", packet(ID("05"), TYPE("03"), NSP)],
  ["ack, reserved word as an argument", packet(ID("05"), TYPE("03"), DATA("91" + text("connect")), NSP)],
  ["ack, object", packet(ID("05"), TYPE("03"), DATA("80"), NSP)],
  ["type: none", packet(DATA("91" + text("a")), NSP)],
  ["type: nil", packet(TYPE("c0"), DATA("91" + text("a")), NSP)],
  ["type: undefined", packet(TYPE(UNDEFINED), DATA("91" + text("a")), NSP)],
  ["type: 5", packet(TYPE("05"), DATA("91" + text("a")), NSP)],
  ["type: 6", packet(TYPE("06"), DATA("91" + text("a")), NSP)],
  ["type: minus one", packet(TYPE("ff"), DATA("91" + text("a")), NSP)],
  ["type: text", packet(TYPE(text("2")), DATA("91" + text("a")), NSP)],
  ["type: true", packet(TYPE("c3"), NSP)],
  ["type: fraction", packet(TYPE("cb3ff8000000000000"), DATA("91" + text("a")), NSP)],
  ["type: whole float", packet(TYPE("cb4000000000000000"), DATA("91" + text("a")), NSP)],
  ["type: whole float 32", packet(TYPE("ca40000000"), DATA("91" + text("a")), NSP)],
  ["type: in two bytes", packet(TYPE("cc02"), DATA("91" + text("a")), NSP)],
  ["type: in nine bytes", packet(TYPE("cf0000000000000002"), DATA("91" + text("a")), NSP)],
  ["type: NaN", packet(TYPE("cb7ff8000000000000"), NSP)],
  ["type: list", packet(TYPE("9102"), NSP)],
  ["namespace: none", packet(TYPE("00"))],
  ["namespace: nil", packet(TYPE("00"), text("nsp") + "c0")],
  ["namespace: number", packet(TYPE("00"), text("nsp") + "01")],
  ["namespace: bytes", packet(TYPE("00"), text("nsp") + "c4012f")],
  ["namespace: empty", packet(TYPE("00"), text("nsp") + "a0")],
  ["namespace: no slash", packet(TYPE("00"), text("nsp") + text("a"))],
  ["namespace: beyond ASCII", packet(TYPE("00"), text("nsp") + text("/日本"))],
  ["namespace: not UTF-8", packet(TYPE("00"), text("nsp") + "a22fff")],
  ["id: 0", packet(TYPE("02"), DATA("91" + text("a")), ID("00"), NSP)],
  ["id: nil", packet(TYPE("02"), DATA("91" + text("a")), ID("c0"), NSP)],
  ["id: undefined", packet(TYPE("02"), DATA("91" + text("a")), ID(UNDEFINED), NSP)],
  ["id: negative", packet(TYPE("02"), DATA("91" + text("a")), ID("ff"), NSP)],
  ["id: fraction", packet(TYPE("02"), DATA("91" + text("a")), ID("cb3ff8000000000000"), NSP)],
  ["id: whole float", packet(TYPE("02"), DATA("91" + text("a")), ID("cb4045000000000000"), NSP)],
  ["id: text", packet(TYPE("02"), DATA("91" + text("a")), ID(text("1")), NSP)],
  ["id: true", packet(TYPE("02"), DATA("91" + text("a")), ID("c3"), NSP)],
  ["id: infinite", packet(TYPE("02"), DATA("91" + text("a")), ID("cb7ff0000000000000"), NSP)],
  ["id: 2**53 - 1", packet(TYPE("02"), DATA("91" + text("a")), ID("cf001fffffffffffff"), NSP)],
  ["id: 2**53", packet(TYPE("02"), DATA("91" + text("a")), ID("cf0020000000000000"), NSP)],
  ["id: uint64 max", packet(TYPE("02"), DATA("91" + text("a")), ID("cfffffffffffffffff"), NSP)],
  ["root: nil", "c0"],
  ["root: undefined", UNDEFINED],
  ["root: number", "02"],
  ["root: text", text("type")],
  ["root: list", "9102"],
  ["root: bytes", "c40102"],
  ["root: empty object", "80"],
  ["root: map 16", "de0002" + TYPE("00") + NSP],
  ["root: map 32", "df00000002" + TYPE("00") + NSP],
  ["root: __proto__ with a type", "82" + text("__proto__") + "81" + TYPE("00") + NSP],
  ["value: positive fixint", carrying("7f")],
  ["value: negative fixint", carrying("e0")],
  ["value: uint 8, 16, 32", carrying("93" + "ccff" + "cdffff" + "ceffffffff")],
  ["value: uint 64", carrying("cf0000000100000000")],
  ["value: uint 64, 2**53 + 1", carrying("cf0020000000000001")],
  ["value: uint 64 max", carrying("cfffffffffffffffff")],
  ["value: int 8, 16, 32", carrying("93" + "d080" + "d18000" + "d280000000")],
  ["value: int 64", carrying("d3ffffffff00000000")],
  ["value: int 64 min", carrying("d38000000000000000")],
  ["value: int 64 positive", carrying("d30000000000000005")],
  ["value: float 32", carrying("ca3fc00000")],
  ["value: float 32 that is not exact", carrying("ca3dcccccd")],
  ["value: float 32 NaN", carrying("ca7fc00000")],
  ["value: float 64", carrying("cb3fb999999999999a")],
  ["value: float 64 NaN", carrying("cb7ff8000000000000")],
  ["value: float 64 infinities", carrying("92cb7ff0000000000000cbfff0000000000000")],
  ["value: float 64 minus zero", carrying("cb8000000000000000")],
  ["value: whole float", carrying("cb4000000000000000")],
  ["value: nil, false, true", carrying("93c0c2c3")],
  ["value: undefined", carrying(UNDEFINED)],
  ["value: undefined with another byte", carrying("d40007")],
  ["value: undefined in a list", carrying("93" + "01" + UNDEFINED + "02")],
  ["value: undefined in an object", carrying("82" + text("x") + UNDEFINED + text("y") + "01")],
  ["value: fixstr of 31", carrying("bf" + "78".repeat(31))],
  ["value: str 8, 16, 32", carrying("93" + "d90161" + "da000162" + "db0000000163")],
  ["value: empty texts", carrying("94" + "a0" + "d900" + "da0000" + "db00000000")],
  ["value: text beyond the BMP", carrying("a4f09f9880")],
  ["value: text, a BOM", carrying("a4efbbbf61")],
  ["value: not UTF-8", carrying("a3ff61fe")],
  ["value: not UTF-8, overlong", carrying("a2c080")],
  ["value: not UTF-8, a surrogate", carrying("a3eda080")],
  ["value: not UTF-8, cut off", carrying("a361f09f")],
  ["value: not UTF-8, beyond Unicode", carrying("a4f4908080")],
  ["value: not UTF-8, a surrogate as notepack.io writes it", carrying("a4f0a88080")],
  ["value: bin 8, 16, 32", carrying("93" + "c40101" + "c5000102" + "c60000000103")],
  ["value: empty bin", carrying("c400")],
  ["value: array 16, 32", carrying("92" + "dc000101" + "dd0000000102")],
  ["value: map 16, 32", carrying("92" + "de0001" + text("a") + "01" + "df00000001" + text("b") + "02")],
  ["value: empty array 16, map 16", carrying("92" + "dc0000" + "de0000")],
  ["value: key twice", carrying("83" + text("x") + "01" + text("y") + "02" + text("x") + "03")],
  ["value: key twice, undefined first", carrying("82" + text("x") + UNDEFINED + text("x") + "03")],
  ["value: key not UTF-8", carrying("81" + "a1ff" + "01")],
  ["value: integer as a key", carrying("83" + "05" + "01" + "ff" + "02" + "cd0400" + "03")],
  ["value: integer and its text as keys", carrying("82" + "05" + "01" + text("5") + "02")],
  ["value: nil as a key", carrying("81c001")],
  ["value: true as a key", carrying("81c301")],
  ["value: float as a key", carrying("81cb3ff800000000000001")],
  ["value: bytes as a key", carrying("81c4016101")],
  ["value: list as a key", carrying("81910101")],
  ["value: object as a key", carrying("818001")],
  ["value: undefined as a key", carrying("81" + UNDEFINED + "01")],
  ["value: __proto__ as a key", carrying("81" + text("__proto__") + "80")],
  ["value: date", carrying("d7000000018bcfe5687b")],
  ["value: date before 1970", carrying("d700ffffffffffffffff")],
  ["value: date, the first of year 1", carrying("d700ffffc77cedd32800")],
  ["value: date of year 10000", carrying("d7000000e677d21fdc00")],
  ["value: date that JavaScript has not", carrying("d7007fffffffffffffff")],
  ["value: ext 8 type 0", carrying("c7030001ff02")],
  ["value: ext 8 type 0, one byte", carrying("c7010000")],
  ["value: ext 8 type 0, eight bytes", carrying("c708000000018bcfe5687b")],
  ["value: ext 8 type 0, empty", carrying("c70000")],
  ["value: ext 16 and 32 type 0", carrying("92" + "c800020001ff" + "c900000002000203")],
  ["value: ext 8 type 5", carrying("c7020501ff")],
  ["value: ext 8 type -1, a timestamp 96", carrying("c70cffffffffff0000000000000000")],
  ["value: ext 16 and 32 type 5", carrying("92" + "c800020501ff" + "c900000002050203")],
  ["value: fixext 1 type 1", carrying("d40107")],
  ["value: fixext 2 type 0", carrying("d5000102")],
  ["value: fixext 4 type -1, a timestamp", carrying("d6ff00000000")],
  ["value: fixext 4 type 0", carrying("d60001020304")],
  ["value: fixext 8 type -1, a bad timestamp", carrying("d7ffffffffffffffffff")],
  ["value: fixext 16 type 0", carrying("d800" + "07".repeat(16))],
  ["value: fixext 16 type -128", carrying("d880" + "07".repeat(16))],
  ["value: c1", carrying("c1")],
  ["value: 127 lists", carrying("(91*126)90")],
  ["value: 128 lists", carrying("(91*127)90")],
  ["value: 2000 lists", carrying("(91*1999)90")],
  ["value: 300 lists side by side", packet(TYPE("02"), DATA("dc012d" + text("a") + "(90*300)"), NSP)],
  ["value: 300 bytes that look like lists", carrying("c5012c(91*300)")],
  ["broken: nothing", ""],
  ["broken: c1", "c1"],
  ["broken: a packet and more", packet(TYPE("00"), NSP) + "c0"],
  ["broken: two packets", packet(TYPE("00"), NSP) + packet(TYPE("01"), NSP)],
  ["broken: 20000 lists", "(91*20000)90"],
  ["broken: 20000 maps", "(81a161*20000)80"],
  ["broken: 20000 lists without an end", "(91*20000)"],
  ["broken: array 32 that lies", "ddffffffff"],
  ["broken: map 32 that lies", "dfffffffff"],
  ["broken: bin 32 that lies", "c6ffffffff"],
  ["broken: str 32 that lies", "dbffffffff"],
  ["broken: array 32 that lies, in a packet", carrying("ddffffffff01")],
  ["broken: map 32 that lies, in a packet", carrying("df7fffffff" + text("a") + "01")],
  ["broken: bin 32 that lies, in a packet", carrying("c6ffffffff01")],
  ["broken: str 32 that lies, in a packet", carrying("dbffffffff61")],
  ["broken: ext 8 that lies", carrying("c7ff0001")],
  ["broken: ext 32 of type 5 that lies", carrying("c9ffffffff0501")],
  ["broken: str 8 that ends too soon", packet(TYPE("00"), text("nsp") + "d9082f")],
  ["broken: fixstr that ends too soon", packet(TYPE("00"), text("nsp") + "a82f")],
  ["broken: bin 8 that ends too soon", packet(TYPE("00"), NSP, text("x") + "c40801")],
  ["broken: array 16 without its length", packet(TYPE("00"), NSP, text("x") + "dc")],
  ["broken: array 16 with half a length", packet(TYPE("00"), NSP, text("x") + "dc00")],
  ["broken: bin 8 without its length", packet(TYPE("00"), NSP, text("x") + "c4")],
  ["broken: ext 8 without its type", packet(TYPE("00"), NSP, text("x") + "c701")],
  ["broken: fixext 1 without its type", packet(TYPE("00"), NSP, text("x") + "d4")],
  ["broken: undefined without its byte", packet(TYPE("00"), NSP, text("x") + "d400")],
  ["broken: fixext 4 that ends too soon", packet(TYPE("00"), NSP, text("x") + "d60501")],
  ["broken: date that ends too soon", packet(TYPE("00"), NSP, text("x") + "d70000000000")],
  ["broken: float 64 that ends too soon", packet(TYPE("00"), NSP, text("x") + "cb000000")],
  ["broken: uint 64 that ends too soon", packet(TYPE("00"), NSP, text("x") + "cf00000001")],
  ["broken: int 8 that ends too soon", packet(TYPE("00"), NSP, text("x") + "d0")],
  ["broken: map without its last value", packet(TYPE("00"), NSP, text("x"))],
  ["broken: map without its last key", packet(TYPE("00"), NSP, "")],
  ["broken: array that ends too soon", packet(TYPE("00"), NSP, text("x") + "9201")],
  ["text: connect of the default parser", { text: "0" }],
  ["text: event of the default parser", { text: '2["a"]' }],
  ["text: empty", { text: "" }],
];

// --- recording ---

const unfold = (hex) => hex.replace(/\((\w+)\*(\d+)\)/g, (_, piece, times) => piece.repeat(Number(times)));

const fold = (hex) => hex.replace(/([0-9a-f]{2})\1{99,}/g, (run, piece) => `(${piece}*${run.length / 2})`);

const encoded = ENCODE.map(([name, packet]) => {
  try {
    const [message] = new Encoder().encode(revive(packet));
    return { name, packet, message: fold(message.toString("hex")) };
  } catch (error) {
    return { name, packet, error: error.message };
  }
});

const decoded = DECODE.map(([name, message]) => {
  const decoder = new Decoder();
  const packets = [];
  decoder.on("decoded", (packet) => packets.push({ ...tag(packet), ...("data" in packet && { data: tagDeep(packet.data) }) }));
  try {
    decoder.add(typeof message === "string" ? Buffer.from(unfold(message), "hex") : message.text);
  } catch (error) {
    return { name, message, error: error.message };
  }
  return { name, message, packet: packets[0] };
});

saveTrace("parser", "msgpack_encode", "socket.io-msgpack-parser", "msgpack_encode", encoded);
saveTrace("parser", "msgpack_decode", "socket.io-msgpack-parser", "msgpack_decode", decoded);
