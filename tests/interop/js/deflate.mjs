// `node deflate.mjs URL CLIENT EXPECTED`: the WebSocket client of npm with permessage-deflate, against a server that
// echoes. CLIENT is ws's option perMessageDeflate as JSON, EXPECTED the Sec-WebSocket-Extensions of the answer.

import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";

const [url, client, expected] = process.argv.slice(2);
const signal = AbortSignal.timeout(40_000);
const socket = new WebSocket(`${url.replace("http", "ws")}/engine.io/?EIO=4&transport=websocket`, {
  perMessageDeflate: JSON.parse(client),
});
const received = [];
let wake = () => {};
socket.on("message", (data, isBinary) => {
  if (!isBinary && data.toString() === "2") return socket.send("3");
  received.push(isBinary ? data : data.toString());
  wake();
});
const [response] = await once(socket, "upgrade", { signal });
assert.equal(response.headers["sec-websocket-extensions"] ?? "", expected);

async function message() {
  while (received.length === 0) {
    await new Promise((resolve, reject) => {
      wake = resolve;
      setTimeout(() => reject(new Error("no message within 20 s")), 20_000).unref();
    });
  }
  return received.shift();
}

async function echo(sent, options = {}) {
  socket.send(sent, options);
  const back = await message();
  assert.equal(typeof back, typeof sent);
  assert.ok(typeof sent === "string" ? back === sent : back.equals(sent), `${sent.length} became ${back.length}`);
}

assert.match(await message(), /^0\{/);
const words = "the quick brown fox, gr\u00fc\u00dfe \ud83d\ude80 ".repeat(400);
const noise = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255));

await echo("4hello");
await echo("4" + words);
await echo(Buffer.from(words));
await echo(noise);
await echo(Buffer.alloc(0));
await echo(Buffer.alloc(1_000_000));
await echo("4" + "x".repeat(999_999));
await echo("4" + words, { compress: false });
await echo("4" + words);

// In fragments, compressed as one message.
socket.send("4" + words, { fin: false });
socket.ping("between");
socket.send(words, { fin: false });
socket.send("end", { fin: true });
assert.equal(await message(), `4${words}${words}end`);

// Many at once, short and long.
const many = Array.from({ length: 500 }, (_, i) => (i % 7 === 0 ? noise.subarray(i, i + i * 30) : `4${i} ${words.slice(0, i * 20)}`));
for (const one of many) socket.send(one);
for (const one of many) {
  const back = await message();
  assert.ok(typeof one === "string" ? back === one : one.equals(back), `${one.length} became ${back.length}`);
}

// What is compressed is a fraction on the wire.
const tcp = socket._socket;
const [before, sent] = [tcp.bytesRead, tcp.bytesWritten];
await echo("4" + "x".repeat(500_000));
const wired = expected === "" ? 500_000 : 0;
assert.ok(tcp.bytesRead - before >= wired && tcp.bytesRead - before < wired + 10_000, `${tcp.bytesRead - before} came`);
assert.ok(tcp.bytesWritten - sent < wired + 10_000, `${tcp.bytesWritten - sent} went`);

socket.close(1000, "bye");
const [code, reason] = await once(socket, "close", { signal });
assert.deepEqual([code, reason.toString()], [1000, "bye"]);
process.exit(0);
