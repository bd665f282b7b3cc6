// Records how the npm module `ws` negotiates permessage-deflate: options x offers, each a real handshake with a
// WebSocketServer behind a Node HTTP server.
//
//   node deflate.mjs            writes conformance/traces/deflate/*.jsonl
//   node deflate.mjs --check    reports drift
//
// A case: `options` as given to ws (`perMessageDeflate`), `offer` (the lines of Sec-WebSocket-Extensions), and
// `response`: the status, what the 101 confirms (null: no extension), or the text of a refusal.

import http from "node:http";
import net from "node:net";
import { WebSocketServer } from "ws";
import { saveTrace } from "./policy_trace.mjs";

let current;
const server = http.createServer();
server.on("upgrade", (request, socket, head) => {
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: current });
  wss.handleUpgrade(request, socket, head, (webSocket) => webSocket.terminate());
});

function handshake(lines) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.address().port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (text += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    const headers = [
      "GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
      ...lines.map((line) => `Sec-WebSocket-Extensions: ${line}`),
    ];
    socket.write(headers.join("\r\n") + "\r\n\r\n", "latin1");
  });
}

async function recorded(options, offer) {
  current = options;
  const [head, body] = (await handshake(offer)).split("\r\n\r\n");
  const [status, ...lines] = head.split("\r\n");
  const code = Number(status.split(" ")[1]);
  const found = lines.find((line) => line.toLowerCase().startsWith("sec-websocket-extensions: "));
  const extensions = found === undefined ? null : found.slice(found.indexOf(" ") + 1);
  return { options, offer, response: code === 101 ? { status: code, extensions } : { status: code, text: body } };
}

async function product(optionList, offers) {
  const cases = [];
  for (const options of optionList) {
    for (const offer of offers) cases.push(await recorded(options, Array.isArray(offer) ? offer : [offer]));
  }
  return cases;
}

const P = "permessage-deflate";

const OPTIONS = [
  false, true, {},
  { serverNoContextTakeover: true }, { serverNoContextTakeover: false },
  { clientNoContextTakeover: true }, { clientNoContextTakeover: false },
  { serverMaxWindowBits: 8 }, { serverMaxWindowBits: 11 }, { serverMaxWindowBits: 15 },
  { serverMaxWindowBits: true }, { serverMaxWindowBits: false },
  { clientMaxWindowBits: 8 }, { clientMaxWindowBits: 11 }, { clientMaxWindowBits: 15 },
  { clientMaxWindowBits: true }, { clientMaxWindowBits: false },
  { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 11 },
  { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
  { serverNoContextTakeover: false, serverMaxWindowBits: 12, clientMaxWindowBits: 12 },
];

const OFFERS = [
  [], P, "x-webkit-deflate-frame", `x; y=1, ${P}`,
  `${P}; client_max_window_bits`, `${P}; client_max_window_bits=8`, `${P}; client_max_window_bits=12`,
  `${P}; server_max_window_bits=8`, `${P}; server_max_window_bits=11`, `${P}; server_max_window_bits=15`,
  `${P}; server_no_context_takeover`, `${P}; client_no_context_takeover`,
  `${P}; client_no_context_takeover; server_no_context_takeover`,
  `${P}; client_max_window_bits=12; server_max_window_bits=12; client_no_context_takeover; server_no_context_takeover`,
  `${P}; server_max_window_bits=10; client_max_window_bits, ${P}; client_max_window_bits, ${P}`,
  `${P}; server_no_context_takeover, ${P}`,
  [`${P}; server_max_window_bits=8`, P],
];

// Refused or read in an odd way, whatever the options are.
const ODD = [
  "", "x", "foo;=bad", "constructor", "__proto__", `${P}, __proto__; a=1`, `${P.toUpperCase()}`, `"${P}"`,
  `${P}=1`, `${P} x`, `${P};`, `${P},`, `,${P}`, `${P},, ${P}`, `;${P}`, `${P} ; client_max_window_bits`,
  `${P};client_max_window_bits`, `${P}\t;\tclient_max_window_bits\t,x`, `${P}; client_max_window_bits =10`,
  `${P}; client_max_window_bits= 10`, `${P}; client_max_window_bits=`, `${P}; client_max_window_bits=10 x`,
  `${P}; unknown`, `${P}; unknown=1`, `${P}; constructor`, `${P}; __proto__=1`, `x; unknown, ${P}`,
  `${P}; Client_Max_Window_Bits`, `${P}, ${P}; unknown`, `${P}; client_max_window_bits=16, ${P}`,
  `${P}; client_max_window_bits=7`, `${P}; client_max_window_bits=16`, `${P}; client_max_window_bits=0`,
  `${P}; client_max_window_bits=-10`, `${P}; client_max_window_bits=010`, `${P}; client_max_window_bits=10.0`,
  `${P}; client_max_window_bits=10.5`, `${P}; client_max_window_bits=1e1`, `${P}; client_max_window_bits=0xA`,
  `${P}; client_max_window_bits=0b1010`, `${P}; client_max_window_bits=0o12`, `${P}; client_max_window_bits=+10`,
  `${P}; client_max_window_bits=1_0`, `${P}; client_max_window_bits=abc`, `${P}; client_max_window_bits=Infinity`,
  `${P}; client_max_window_bits=0x`, `${P}; client_max_window_bits=+0xA`, `${P}; client_max_window_bits=10.`,
  `${P}; client_max_window_bits=.1e2`, `${P}; client_max_window_bits=1e999`, `${P}; client_max_window_bits=.`,
  `${P}; client_max_window_bits="10"`, `${P}; client_max_window_bits="\\10"`, `${P}; client_max_window_bits="1\\0"`,
  `${P}; client_max_window_bits=""`, `${P}; client_max_window_bits="10`, `${P}; client_max_window_bits="1 0"`,
  `${P}; client_max_window_bits="10"x`, `${P}; client_max_window_bits="10" ; server_no_context_takeover`,
  `${P}; client_max_window_bits="10\\"`, `${P}; client_max_window_bits=1"0"`, `${P}; client_max_window_bits="1"0"`,
  `${P}; client_max_window_bits=10; client_max_window_bits=10`, `${P}; client_max_window_bits; client_max_window_bits=9`,
  `${P}; server_max_window_bits`, `${P}; server_max_window_bits=16`, `${P}; server_max_window_bits=7`,
  `${P}; server_max_window_bits=9; server_max_window_bits=9`, `${P}; server_max_window_bits="9"`,
  `${P}; server_no_context_takeover=1`, `${P}; server_no_context_takeover=true`, `${P}; server_no_context_takeover=""`,
  `${P}; client_no_context_takeover=0`, `${P}; client_no_context_takeover; client_no_context_takeover`,
  `${P}; server_no_context_takeover; server_no_context_takeover`, `caf\u00e9`, `${P}; caf\u00e9`, `${P}; a=\u00e9`,
  ["x", P], [P, ""], ["", P], [P, `${P}; unknown`], `${P}\u00a0`, `(${P})`, `${P}; a=b=c`, `${P}; =`, `=`, `"`,
];

server.listen(0, "127.0.0.1", async () => {
  saveTrace("deflate", "negotiation", "ws", "every option, with every kind of offer", await product(OPTIONS, OFFERS));
  saveTrace("deflate", "odd_offers", "ws", "offers that are malformed or rare", await product([true, false], ODD));
  server.close();
});
