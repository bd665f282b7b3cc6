// engine.io-client 3.5, the engine of socket.io-client 2: `node engine3.mjs SCENARIO URL TRANSPORTS [base64]`. The
// server echoes. Exits 0 when the scenario holds.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const connect = createRequire(import.meta.url)("engine.io-client-3");
const [name, url, transports, base64] = process.argv.slice(2);

// Resolves with what the socket passes with the next such event; rejects by an error or after 20 s.
function event(socket, wanted) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${wanted}" within 20 s`)), 20_000);
    socket.once(wanted, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
    socket.once("error", reject);
  });
}

async function opened() {
  const socket = connect(url, { transports: transports.split(","), forceBase64: base64 === "base64" });
  await event(socket, "open");
  return socket;
}

const MESSAGES = ["hello", "", "gr\u00fc\u00dfe \ud83d\ude80 \u4f60\u597d \u0000\u001e\"\\", "3:4a", Buffer.from([0, 1, 4, 254, 255]), Buffer.alloc(0), "x".repeat(70_000), Buffer.alloc(70_000, 7)];

// All messages at once come back whole, in order, of their kind.
async function echo(socket) {
  const back = [];
  const all = new Promise((resolve) => {
    socket.on("message", (data) => {
      back.push(data ?? ""); // it shows a message without data as undefined
      if (back.length === MESSAGES.length) resolve();
    });
  });
  const failed = event(socket, "close").then(([reason]) => assert.fail(`closed: ${reason}`));
  for (const message of MESSAGES) socket.send(message);
  await Promise.race([all, failed]);
  for (const [at, message] of MESSAGES.entries()) {
    assert.equal(typeof back[at], typeof message, `message ${at}`);
    assert.ok(Buffer.from(message).equals(Buffer.from(back[at])), `message ${at}`);
  }
  failed.catch(() => {});
}

const scenarios = {
  async messages() {
    const socket = await opened();
    await echo(socket);
    const upgrades = transports.includes(",");
    while (upgrades && socket.transport.name !== "websocket") await event(socket, "upgrade");
    socket.removeAllListeners("message");
    await echo(socket);
    socket.close();
  },
  async heartbeat() {
    const socket = await opened();
    for (let i = 0; i < 3; i++) await event(socket, "pong");
    socket.close();
  },
  async silence() {
    const socket = await opened();
    if (transports.includes(",")) await event(socket, "upgrade");
    socket.ping = () => {};
    socket.off("heartbeat"); // its own clock, which would close first
    socket.onHeartbeat = () => {};
    clearTimeout(socket.pingTimeoutTimer);
    const [reason] = await event(socket, "close");
    assert.ok(["transport close", "transport error", "ping timeout"].includes(reason), reason);
  },
  async closed() {
    const socket = await opened();
    socket.send("close-me");
    const [reason] = await event(socket, "close");
    assert.equal(reason, "transport close");
  },
};

await scenarios[name]();
process.exit(0);
