// Records what the npm module `cookie` serialises and parses, refusals included.
//
//   node cookie.mjs            writes conformance/traces/cookie/*.jsonl
//   node cookie.mjs --check    reports drift
//
// A case of serialize: `name`, `value`, `options` as given to the module (camelCase), and `header`, or `error`
// with the message. A case of parse: `header`, `decode`, and `cookies` as [name, value] pairs sorted by name (a
// JavaScript object moves names that look like numbers to the front). Dates are {"$date": ms since 1970}.
// `encode` and `decode` are named functions: see CODECS.

import cookie from "cookie";
import { saveTrace } from "./policy_trace.mjs";

const CODECS = {
  identity: (text) => text,
  quoted: (text) => `"${text}"`,
  upper: (text) => text.toUpperCase(),
  fails: () => {
    throw new Error("no");
  },
};

function revive(options) {
  if (options === null) return undefined;
  const revived = { ...options };
  if (options.expires?.$date !== undefined) revived.expires = new Date(options.expires.$date);
  if (options.encode) revived.encode = CODECS[options.encode];
  return revived;
}

function serialized(name, value, options = null) {
  try {
    return { name, value, options, header: cookie.serialize(name, value, revive(options)) };
  } catch (error) {
    return { name, value, options, error: error.message };
  }
}

function parsed(header, decode = null) {
  const cookies = Object.entries(cookie.parse(header, decode === null ? undefined : { decode: CODECS[decode] }));
  return { header, decode, cookies: cookies.sort(([a], [b]) => (a < b ? -1 : 1)) };
}

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
// Beyond ASCII: C1, Latin-1, what upper-cases or lower-cases into ASCII, a line separator, wide text.
const beyond = ["\u0080", "\u0085", "\u00a0", "\u00e9", "\u00ff", "\u017f", "\u0130", "\u212a", "\u2028", "\u20ac", "\u{1f600}"];
const characters = [...ascii, ...beyond];
const halves = ["\ud800", "a\udc00", "\udc00\ud800", "\ud83d\ude00", "\ud83d \ude00"];

const labels = [
  "example.com", ".example.com", "a", "a.b.c.d", "EXAMPLE.Com", "1.2.3.4", "xn--caf-dma.example", "a-b.c", "a--b",
  "-a.b", "a-.b", "a.-b", "a.b-", "..a", "a..b", "a.", ".", "a.b.", " a", "a ", "a\n", "a\r\nb", "a;b", "a,b", "a_b",
  "a:80", "[::1]", "*.a", "x".repeat(63), "x".repeat(64), `${"x".repeat(63)}.${"y".repeat(63)}`, `a.${"y".repeat(64)}`, "",
];
const paths = ["/", "/a/b", "", "a", "/ a", "/a;b", "/a<b", "/a=b", "/a\u00e9", "/a\n", "/\r\nSet-Cookie: x=y", "/a\t", "/~!\"'()*"];
const numbers = [0, 1, 600, -1, 1.9, -1.1, 0.5, 1e9, 2147483648, 9007199254740991];
const dates = [0, 1, 999, 1000, 951782400000, 951868800000, 1700000000123, -1, -62135596800000, 253402300799000];
const priorities = ["low", "medium", "high", "LOW", "Medium", "hIgH", "", false, "lower", "urgent", " low", "low\n"];
const sites = [true, false, "strict", "lax", "none", "STRICT", "Lax", "nOnE", "", "foo", "lax ", "\u017ftrict"];
const flags = ["httpOnly", "secure", "partitioned"];

const serialize = [
  ...["a", "sid", "__Host-x", "a.b", "", " ", "a b", "a=b", "a;b", "a\n", "\u00e9", "a\r\nb"].map((name) => serialized(name, "v")),
  ...["", "v", "a b", "a=b", "a;b", '"', '"q"', "a,b", "\\", "%", "%41", "\r\n", "\0", "\u00e9", "\u{1f600}", "x".repeat(5000)].map(
    (value) => serialized("n", value),
  ),
  ...["", '""', '"a"', '"a', 'a"', '"a"b"', "a b", "a\n", "\r\nSet-Cookie: x=y", "a;b"].map((value) =>
    serialized("n", value, { encode: "identity" }),
  ),
  ...["", "a", "a b", '"', "a;"].flatMap((value) => ["quoted", "upper"].map((encode) => serialized("n", value, { encode }))),
  ...halves.map((value) => serialized("n", value)),
  ...halves.map((value) => serialized("n", value, { encode: "identity" })),
  ...numbers.map((maxAge) => serialized("n", "v", { maxAge })),
  ...labels.map((domain) => serialized("n", "v", { domain })),
  ...paths.map((path) => serialized("n", "v", { path })),
  ...dates.map(($date) => serialized("n", "v", { expires: { $date } })),
  ...priorities.map((priority) => serialized("n", "v", { priority })),
  ...sites.map((sameSite) => serialized("n", "v", { sameSite })),
  ...flags.flatMap((flag) => [true, false].map((value) => serialized("n", "v", { [flag]: value }))),
];

// Every subset of one value per option: the order of the attributes.
const VALUES = {
  maxAge: 5,
  domain: "a.example",
  path: "/",
  expires: { $date: 0 },
  httpOnly: true,
  secure: true,
  partitioned: true,
  priority: "high",
  sameSite: "lax",
};
const combined = Array.from({ length: 1 << 9 }, (_, bits) => bits)
  .filter((bits) => bits % 7 === 0 || bits === 511)
  .map((bits) => Object.keys(VALUES).filter((_, i) => bits & (1 << i)).reverse())
  .map((keys) => serialized("sid", "a b", Object.fromEntries(keys.map((key) => [key, VALUES[key]]))));

const injected = characters.flatMap((c) => [
  serialized(`a${c}b`, "v"),
  serialized("n", `a${c}b`, { encode: "identity" }),
  serialized("n", c),
  serialized("n", "v", { path: `/a${c}b` }),
  serialized("n", "v", { domain: `a${c}b` }),
]);

const escapes = ["%41", "%4", "%", "%%", "%zz", "%4g", "a%20b%", "%C3%A9", "%c3%a9", "%C3", "%C3x", "%FF", "%ED%A0%80",
  "%F0%9F%98%80", "%C0%80", "%F4%90%80%80", "%00", "%0d%0a", "%3B", "%3D", "%22x%22", "\u00e9%20", "\u{1f600}%41", "\ud800%41", "%E2%82%AC"];
const headers = [
  "", "a", "=", "a=", "=v", "a=b", ";", ";;", "; ;", "a;", ";a", "a;b", "a;b=c", "a;b;c=d", "a=b;c", "a=b;c;d", "a=b;", ";a=b",
  "a=b; c=d", "a=b;c=d", "a=b ; c=d", " a=b", "a=b ", "\ta\t=\tb\t", "a = b", "a  =  b c  ; d", "a=b=c", "a==", "==", "a=;b=", "a=b,c=d",
  "a=1; a=2", "a=; a=2", "A=1; a=2", "=1; =2", " =1;=2", "a=\u00a0b", "a=b\nc", "a=\r\nb", "\na=b", "\u000ba=b",
  'a="b"', 'a="b', 'a=b"', 'a="', 'a=""', 'a="""', 'a=""""', 'a=" b "', 'a= "b" ', 'a="b;c"', 'a="b=c"', '"a"=b', "a='b'",
  "constructor=1", "toString=1; hasOwnProperty=2", "1=a; 0=b; x=c", "a[0]=b", "$Version=1; a=b", "a=b; $Path=/",
  "foo=bar=baz; x=y", "foo=%1;bar=bar", "foo; bar=baz; qux", "a=b".repeat(3), `a=${"x".repeat(4096)}`, `${";".repeat(50)}a=b`,
  Array.from({ length: 60 }, (_, i) => `c${i}=${i}`).join("; "),
];
const parse = [
  ...headers.map((header) => parsed(header)),
  ...escapes.map((escape) => parsed(`a=${escape}`)),
  ...escapes.slice(0, 6).map((escape) => parsed(`${escape}=v; b="${escape}"`)),
  ...["a=b; c=%41", 'a="b"', "a=; b=\u00e9"].flatMap((header) =>
    ["identity", "quoted", "upper", "fails"].map((decode) => parsed(header, decode)),
  ),
  ...characters.map((c) => parsed(`k${c}=a${c}b; z=1`)),
  ...characters.map((c) => parsed(`k=${c}v${c}`)),
];

saveTrace("cookie", "serialize", "cookie", "each option of serialize, accepted and refused values", serialize);
saveTrace("cookie", "attributes", "cookie", "combinations of attributes: their order", combined);
saveTrace("cookie", "characters", "cookie", "every ASCII character and some beyond in name, value, path and domain", injected);
saveTrace("cookie", "parse", "cookie", "Cookie headers, well formed and not", parse);
