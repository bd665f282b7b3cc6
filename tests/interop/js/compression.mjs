// The official client over compressed polls: `node compression.mjs URL`. Its transport `Fetch` asks for gzip and
// deflate, as a browser does, and Node's fetch decodes; its XMLHttpRequest in Node never asks.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Fetch, io } from "socket.io-client";

const codings = [];
const plain = globalThis.fetch;
globalThis.fetch = async (...request) => {
  const response = await plain(...request);
  codings.push(response.headers.get("content-encoding"));
  return response;
};

const socket = io(process.argv[2], { transports: [Fetch], reconnection: false });
await once(socket, "connect");
const long = "gr\u00fc\u00dfe \ud83d\ude80 ".repeat(2000);
const bytes = Buffer.alloc(50_000, 7);
for (const args of [["short"], [long], [{ long, bytes }, bytes], ["x".repeat(1024)]]) {
  codings.length = 0;
  assert.deepEqual(await socket.emitWithAck("message-with-ack", ...args), args[0]);
  const wanted = JSON.stringify(args[0]).length > 1000;
  assert.equal(codings.includes("gzip"), wanted, `${codings} for ${args[0].length ?? "an object"}`);
}
codings.length = 0;
socket.emit("blob", 5000, false);
assert.deepEqual(await once(socket, "blob"), ["x".repeat(5000)]);
assert.ok(!codings.includes("gzip"), `${codings}`);
socket.disconnect();
