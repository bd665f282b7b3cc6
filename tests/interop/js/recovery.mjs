// Connection state recovery with the official client: `node recovery.mjs NAME URL TRANSPORTS [PARSER]`.
// Exits 0 when the scenario holds; a line on standard output that begins with ">" asks for something.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import msgpackParser from "socket.io-msgpack-parser";

const [name, url, transports, parserName = "default"] = process.argv.slice(2);
const parser = { default: undefined, msgpack: msgpackParser }[parserName];
const sockets = [];
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Resolves with the arguments of the next such event; rejects after 10 s.
function event(emitter, wanted) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${wanted}" within 10 s`)), 10_000);
    emitter.once(wanted, (...args) => { clearTimeout(timer); resolve(args); });
  });
}

// What it hears is kept in `socket.heard`, without the offsets, with "connect" in its place among them.
async function connected(namespace = "/", options = {}) {
  const socket = io(url + namespace, {
    forceNew: true, transports: transports.split(","), reconnectionDelay: 300, reconnectionDelayMax: 300, ...(parser && { parser }), ...options,
  });
  sockets.push(socket);
  socket.heard = [];
  socket.on("connect", () => socket.heard.push("connect"));
  socket.on("say", (...args) => socket.heard.push(args.slice(0, -1)));
  await event(socket, "connect");
  return socket;
}

// The connection is gone without a word, and the client is back by itself. Not in the midst of an upgrade: the server
// would only know by the ping timeout that it is gone, and who still is there cannot come back.
async function lost(socket) {
  const gone = event(socket, "disconnect");
  const { engine } = socket.io;
  if (transports.includes(",") && engine.transport.name === "polling") await event(engine, "upgrade");
  if (engine.transport.ws) engine.transport.ws.terminate();
  else engine.transport.onError("gone");
  await gone;
  return event(socket, "connect");
}

async function until(holds) {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `waited 10 s for ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const rest = async (sender, id) => until(async () => !(await sender.emitWithAck("fetch-sockets", [])).includes(id));

const scenarios = {
  // Again and again: same id, rooms and data, exactly what was missed, in order, before "connect".
  async missed() {
    const [a, b] = await Promise.all([connected(), connected()]);
    const { id } = a;
    assert.equal(a.recovered, false);
    await a.emitWithAck("join", "red");
    await a.emitWithAck("set-data", { mine: 1 });
    for (let round = 0; round < 3; round++) {
      a.heard.length = 0;
      const back = lost(a);
      await rest(b, id);
      for (let i = 0; i < 50; i++) b.emit("emit-all", "say", round, i);
      b.emit("nsp-to", ["red"], [], "say", Buffer.from([1, 2, 255]), { deep: [Buffer.from([3])] });
      b.emit("nsp-to", ["blue"], [], "say", "not for a");
      b.emit("nsp-except", ["red"], "say", "not for a");
      b.emit("to", [id], [], "say", "for a alone");
      await b.emitWithAck("echo", "all is sent");
      await back;
      assert.equal(a.recovered, true);
      assert.equal(a.id, id);
      const binary = [Buffer.from([1, 2, 255]), { deep: [Buffer.from([3])] }];
      const expected = [...Array(50).keys()].map((i) => [round, i]);
      assert.deepEqual(a.heard, [...expected, binary, ["for a alone"], "connect"]);
      const info = await a.emitWithAck("info");
      assert.equal(info.recovered, true);
      assert.deepEqual(info.rooms, [id, "red"].sort());
      assert.deepEqual(info.data, { mine: 1 });
      const answered = event(a, "say");
      b.emit("nsp-to", ["red"], [], "say", "live again");
      assert.equal((await answered)[0], "live again");
    }
  },

  // Events flow all the time, the connection is lost in their midst: none is lost, none comes twice.
  async stream() {
    const [a, b] = await Promise.all([connected(), connected()]);
    const { id } = a;
    let sent = 0;
    const timer = setInterval(() => { for (let i = 0; i < 5; i++) b.emit("emit-all", "say", sent++); }, 5);
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await lost(a);
      assert.equal(a.recovered, true);
      assert.equal(a.id, id);
    }
    clearInterval(timer);
    await b.emitWithAck("echo", "all is sent");
    const numbers = () => a.heard.filter(Array.isArray).map(([n]) => n);
    await until(() => numbers().at(-1) === sent - 1);
    assert.deepEqual(numbers(), [...Array(sent).keys()]);
  },

  // It has heard nothing but a volatile event that ends with a text.
  async volatile() {
    const a = await connected();
    const { id } = a;
    for (let i = 0; i < 2; i++) {
      await lost(a);
      assert.equal(a.recovered, true);
      assert.equal(a.id, id);
    }
  },

  // Each namespace by itself, a middleware skipped.
  async namespaces() {
    const main = await connected();
    const mw = main.io.socket("/mw");
    sockets.push(mw);
    await event(mw, "connect");
    const before = await mw.emitWithAck("info");
    const both = event(mw, "connect");
    await lost(main);
    await both;
    assert.deepEqual([main.recovered, mw.recovered], [true, true]);
    const info = await mw.emitWithAck("info");
    assert.equal(info.sid, before.sid);
    assert.deepEqual(info.data, before.data);
  },

  // Another process knows nothing of it; the client is new there, and recovers from then on.
  async restart() {
    const a = await connected();
    const { id } = a;
    const back = event(a, "connect");
    console.log("> restart");
    await lines.next();
    await back;
    assert.equal(a.recovered, false);
    assert.notEqual(a.id, id);
    await lost(a);
    assert.equal(a.recovered, true);
  },

  // It was away for too long.
  async expired() {
    const a = await connected("/", { reconnectionDelay: 1500, reconnectionDelayMax: 1500, randomizationFactor: 0 });
    const { id } = a;
    await lost(a);
    assert.equal(a.recovered, false);
    assert.notEqual(a.id, id);
  },
};

await scenarios[name]();
for (const socket of sockets) socket.disconnect();

process.exit(0);
