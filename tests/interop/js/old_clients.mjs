// Official clients of earlier major versions against the conformance target, which must allow Engine.IO 3:
// `node old_clients.mjs NAME URL TRANSPORTS VERSION`, where VERSION is 2 or 3. See scenarios.mjs for the rest.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import io2 from "socket.io-client-2";
import { io as io3 } from "socket.io-client-3";
import { io as io4 } from "socket.io-client";

const [name, url, transports, version] = process.argv.slice(2);
const io = { 2: io2, 3: io3 }[version];
const second = io === io2;
const sockets = [];
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function connect(namespace = "/", options = {}, client = io) {
  const socket = client(url + namespace, { forceNew: true, transports: transports.split(","), ...options });
  sockets.push(socket);
  return socket;
}

async function connected(...args) {
  const socket = connect(...args);
  await event(socket, "connect", "connect_error");
  return socket;
}

// Resolves with the arguments of the next such event; rejects by `failure` or after 10 s.
function event(emitter, wanted, failure) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${wanted}" within 10 s`)), 10_000);
    emitter.once(wanted, (...args) => { clearTimeout(timer); resolve(args); });
    if (failure) emitter.once(failure, (error) => { clearTimeout(timer); reject(error); });
  });
}

/** The first argument of an acknowledgement. */
function ask(socket, ...args) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to "${args[0]}" within 10 s`)), 10_000);
    socket.emit(...args, (answer) => { clearTimeout(timer); resolve(answer); });
  });
}

const BINARY = Buffer.from([0, 1, 2, 254, 255]);
const TEXT = "gr\u00fc\u00dfe \ud83d\ude80 \u4f60\u597d \"\\";

const scenarios = {
  async messages() {
    const socket = await connected();
    for (const args of [["plain"], [TEXT], [], [1, 2.5, null, true], [{ a: [1, { b: "c" }] }], ["x".repeat(200_000)], [TEXT, { deep: [BINARY] }, BINARY]]) {
      const back = event(socket, "message-back");
      socket.emit("message", ...args);
      assert.deepEqual(await back, args);
    }
    const seen = [];
    const all = new Promise((resolve) => socket.on("message-back", (i) => seen.push(i) === 1000 && resolve()));
    for (let i = 0; i < 1000; i++) {
      socket.emit("message", i);
      if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    assert.deepEqual(seen, [...Array(1000).keys()]);
    const info = await ask(socket, "info");
    assert.equal(info.protocol, second ? 3 : 4);
    assert.equal(info.sid, socket.id);
    assert.equal(info.sid === socket.io.engine.id, second);
  },

  async upgrade() {
    const socket = connect();
    await event(socket.io, "open", "error");
    assert.equal(socket.io.engine.transport.name, "polling");
    const seen = [];
    socket.on("message-back", (i) => seen.push(i));
    let sent = 0;
    const timer = setInterval(() => socket.emit("message", sent++), 1);
    await event(socket.io.engine, "upgrade");
    clearInterval(timer);
    await ask(socket, "echo", BINARY);
    assert.deepEqual(seen, [...Array(sent).keys()]);
    assert.equal((await ask(socket, "info")).transport, "websocket");
  },

  async acks() {
    const socket = await connected();
    assert.equal(await ask(socket, "echo", "one"), "one");
    assert.deepEqual(await ask(socket, "echo", { b: BINARY }), { b: BINARY });
    await new Promise((resolve) => socket.emit("message-with-ack", 1, BINARY, "x", (...args) => {
      assert.deepEqual(args, [1, BINARY, "x"]);
      resolve();
    }));
    socket.on("question", (n, buffer, answer) => answer({ n: n + 1, buffer }));
    assert.deepEqual(await ask(socket, "ask", 5000, "question", [41, BINARY]), { err: null, res: [{ n: 42, buffer: BINARY }] });
    socket.on("silence", () => {});
    assert.deepEqual(await ask(socket, "ask", 100, "silence", []), { err: "timeout", res: [] });
  },

  async namespaces() {
    const given = { token: "a&b=c d", "\u00fc": "1+1" };
    const main = await connected();
    const socket = main.io.socket("/custom", second ? { query: given } : { auth: given });
    await event(socket, "connect");
    const { nsp, sid, handshake } = await ask(socket, "info");
    assert.deepEqual([nsp, sid, handshake.auth], ["/custom", socket.id, given]);
    if (second) assert.equal(socket.id, `/custom#${main.io.engine.id}`);
    assert.deepEqual((await ask(main, "info")).handshake.auth, {});
    socket.disconnect();
    assert.equal(await ask(main, "echo", "still here"), "still here");
  },

  async refusal() {
    const failure = second ? "error" : "connect_error";
    const data = { code: 401, hint: "token" };
    const [error] = await event(connect("/auth"), failure, "connect");
    assert.deepEqual(second ? error : error.data, data);
    const allowed = await connected("/auth", second ? { query: { token: "ok" } } : { auth: { token: "ok" } });
    assert.deepEqual((await ask(allowed, "info")).handshake.auth, { token: "ok" });
    assert.equal((await event(connect("/nowhere"), failure))[0].message, "Invalid namespace");
  },

  async rooms() {
    const [a, b, c] = await Promise.all([connected(), connected(), connected("/", {}, io4)]);
    const got = { a: [], b: [], c: [] };
    for (const [key, socket] of Object.entries({ a, b, c })) socket.on("say", (...args) => got[key].push(args));
    assert.deepEqual(await ask(a, "join", "red"), ["red", a.id].sort());
    await Promise.all([ask(c, "join", "red"), ask(b, "join", "blue"), ask(c, "join", "blue")]);
    a.emit("to", ["red", "blue"], [], "say", "both, once", BINARY);
    a.emit("to", ["red", "blue"], [b.id], "say", "not b");
    a.emit("nsp-to", ["red"], [], "say", TEXT, { deep: [BINARY] });
    a.emit("broadcast", "say", "others");
    await ask(a, "echo", 0);  // polling orders what one client sends, not what two do
    c.emit("emit-all", "say", "all", BINARY);
    await ask(c, "echo", 0);
    await ask(c, "leave", "red");
    c.emit("nsp-to", ["red"], [], "say", "red again");
    await ask(c, "echo", 1);
    await Promise.all([ask(a, "echo", 1), ask(b, "echo", 1)]);
    assert.deepEqual(got.a, [[TEXT, { deep: [BINARY] }], ["all", BINARY], ["red again"]]);
    assert.deepEqual(got.b, [["both, once", BINARY], ["others"], ["all", BINARY]]);
    assert.deepEqual(got.c, [["both, once", BINARY], ["not b"], [TEXT, { deep: [BINARY] }], ["others"], ["all", BINARY]]);
    for (const socket of [a, b, c]) socket.on("count", (n, answer) => answer(n));
    assert.deepEqual(await ask(a, "ask-room", ["blue"], 5000, "count", [7]), { err: null, res: [7, 7] });
  },

  async reasons() {
    const socket = await connected();
    const custom = socket.io.socket("/custom");
    if (!custom.connected) await event(custom, "connect");
    const left = event(custom, "disconnect");
    custom.emit("disconnect-me", false);
    assert.equal((await left)[0], "io server disconnect");
    assert.equal(socket.connected, true);
    const gone = event(socket, "disconnect");
    socket.emit("disconnect-me", true);
    assert.equal((await gone)[0], "io server disconnect");
    const other = await connected();
    const closed = event(other, "disconnect");
    other.disconnect();
    assert.equal((await closed)[0], "io client disconnect");
    const dropped = await connected();
    const lost = event(dropped, "disconnect");
    dropped.io.engine.close();
    assert.equal((await lost)[0], "forced close");
  },

  async restart() {
    const socket = await connected("/custom", { reconnectionDelay: 100, reconnectionDelayMax: 300 });
    const before = socket.id;
    const disconnected = event(socket, "disconnect");
    console.log("> restart");
    await lines.next();
    const [reason] = await disconnected;
    assert.ok(["transport close", "transport error"].includes(reason), reason);
    if (!socket.connected) await event(socket, "connect");
    assert.notEqual(socket.id, before);
    assert.equal(await ask(socket, "echo", "again"), "again");
  },

  // The server is started with a short interval, and would close the connection without these.
  async heartbeat() {
    const socket = await connected();
    for (let i = 0; i < 5; i++) await event(second ? socket : socket.io.engine, "pong");
    assert.equal(await ask(socket, "echo", "alive"), "alive");
    assert.equal(socket.connected, true);
  },

  async refused() {
    await event(connect("/", { reconnection: false }), "connect_error", "connect");
  },
};

await scenarios[name]();
for (const socket of sockets) socket.disconnect();
process.exit(0);
