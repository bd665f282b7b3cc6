// The official client against the conformance target: `node scenarios.mjs NAME URL [TRANSPORTS [PARSER]]`.
// Exits 0 when the scenario holds; an assertion that fails ends it with a trace. A line on standard output that
// begins with ">" asks the test that started this process to do something.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import msgpackParser from "socket.io-msgpack-parser";
import { jsonParser } from "./json_parser.mjs";

const [name, url, transports = "polling,websocket", parserName = "default"] = process.argv.slice(2);
const parser = { default: undefined, msgpack: msgpackParser, json: jsonParser }[parserName];
const sockets = [];
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function connect(namespace = "/", options = {}) {
  const socket = io(url + namespace, { forceNew: true, transports: transports.split(","), ...(parser && { parser }), ...options });
  sockets.push(socket);
  return socket;
}

async function connected(namespace, options) {
  const socket = connect(namespace, options);
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

async function ask(command) {
  console.log("> " + command);
  await lines.next();
}

// The custom parser has no form for bytes.
const BINARY = parserName === "json" ? [0, 1, 2, 254, 255] : Buffer.from([0, 1, 2, 254, 255]);
const TEXT = "gr\u00fc\u00dfe \ud83d\ude80 \u4f60\u597d \u001e\"\\";

const scenarios = {
  async messages() {
    const socket = connect();
    await event(socket.io, "open", "error");
    assert.equal(socket.io.engine.transport.name, transports.split(",")[0]);
    await event(socket, "connect", "connect_error");
    for (const args of [["plain"], [TEXT.replace("\u001e", "")], [], [1, 2.5, null, true], [{ a: [1, { b: "c" }] }], ["x".repeat(200_000)]]) {
      socket.emit("message", ...args);
      assert.deepEqual(await event(socket, "message-back"), args);
    }
    const [first] = await Promise.all([event(socket, "message-back"), socket.emit("message", { deep: [BINARY] }, BINARY)]);
    assert.deepEqual(first, [{ deep: [BINARY] }, BINARY]);
    // Order, over the whole of an upgrade: a thousand numbered events, answered one by one.
    const seen = [];
    const all = new Promise((resolve) => socket.on("message-back", (i) => seen.push(i) === 1000 && resolve()));
    for (let i = 0; i < 1000; i++) {
      socket.emit("message", i);
      if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    assert.deepEqual(seen, [...Array(1000).keys()]);
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
    assert.equal(socket.io.engine.transport.name, "websocket");
    clearInterval(timer);
    await socket.emitWithAck("echo", "after");
    assert.deepEqual(seen, [...Array(sent).keys()]);
    assert.equal((await socket.emitWithAck("info")).transport, "websocket");
  },

  async acks() {
    const socket = await connected();
    assert.equal(await socket.timeout(5000).emitWithAck("echo", "one"), "one");
    assert.deepEqual(await socket.timeout(5000).emitWithAck("echo", { b: BINARY }), { b: BINARY });
    await new Promise((resolve) => socket.emit("message-with-ack", 1, BINARY, "x", (...args) => {
      assert.deepEqual(args, [1, BINARY, "x"]);
      resolve();
    }));
    socket.on("question", (n, buffer, answer) => answer({ n: n + 1, buffer }));
    assert.deepEqual(await socket.emitWithAck("ask", 5000, "question", [41, BINARY]), { err: null, res: [{ n: 42, buffer: BINARY }] });
    socket.on("silence", () => {});
    assert.deepEqual(await socket.emitWithAck("ask", 100, "silence", []), { err: "timeout", res: [] });
  },

  async rooms() {
    const [a, b, c] = await Promise.all([connected(), connected(), connected()]);
    const got = { a: [], b: [], c: [] };
    for (const [key, socket] of Object.entries({ a, b, c })) socket.on("say", (text) => got[key].push(text));
    assert.deepEqual(await a.emitWithAck("join", "red"), ["red", a.id].sort());
    await Promise.all([b.emitWithAck("join", "red"), b.emitWithAck("join", "blue"), c.emitWithAck("join", "blue")]);
    a.emit("to", ["red", "blue"], [], "say", "both, once");
    a.emit("to", ["red", "blue"], [c.id], "say", "not c");
    a.emit("nsp-to", ["red"], [], "say", "red");
    a.emit("nsp-except", ["blue"], "say", "not blue");
    a.emit("broadcast", "say", "others");
    a.emit("emit-all", "say", "all");
    await a.emitWithAck("echo", 0);  // polling orders what one client sends, not what two do
    await b.emitWithAck("leave", "red");
    a.emit("nsp-to", ["red"], [], "say", "red again");
    await a.emitWithAck("echo", 1);
    await Promise.all([b.emitWithAck("echo", 1), c.emitWithAck("echo", 1)]);
    assert.deepEqual(got.a, ["red", "not blue", "all", "red again"]);
    assert.deepEqual(got.b, ["both, once", "not c", "red", "others", "all"]);
    assert.deepEqual(got.c, ["both, once", "others", "all"]);
    for (const socket of [a, b, c]) socket.on("count", (n, answer) => answer(n));
    const { err, res } = await a.emitWithAck("ask-room", ["blue"], 5000, "count", [7]);
    assert.deepEqual([err, res], [null, [7, 7]]);
  },

  async refusal() {
    const socket = connect("/auth");
    const error = await event(socket, "connect_error", "connect").then(([error]) => error);
    assert.equal(error.message, "not authorized");
    assert.deepEqual(error.data, { code: 401, hint: "token" });
    assert.equal(socket.active, false);
    const allowed = await connected("/auth", { auth: { token: "ok" } });
    assert.deepEqual((await allowed.emitWithAck("info")).handshake.auth, { token: "ok" });
    const unknown = connect("/nowhere");
    assert.equal((await event(unknown, "connect_error"))[0].message, "Invalid namespace");
  },

  async reasons() {
    const socket = await connected();
    const custom = socket.io.socket("/custom");
    await event(custom, "connect");
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

  async reserved() {
    const socket = await connected();
    const raised = await socket.emitWithAck("try-reserved");
    assert.deepEqual(new Set(Object.values(raised)), new Set([true]));
    // These never reach handlers of the same name on the server, which stays as it is.
    for (const reserved of ["connection", "error", "new_namespace"]) socket.emit(reserved, "fake");
    assert.equal(await socket.emitWithAck("echo", "still here"), "still here");
  },

  async dynamic() {
    const one = await connected("/dyn-1", { auth: { for: "one" } });
    const two = await connected("/dyn-2");
    const main = await connected();
    assert.equal((await one.emitWithAck("info")).nsp, "/dyn-1");
    const heard = [event(one, "all"), event(two, "all")];
    main.emit("parent-emit", "all", 1);
    assert.deepEqual(await Promise.all(heard), [[1], [1]]);
    const fn = await connected("/fn-a", { auth: { key: "k" } });
    assert.deepEqual(await main.emitWithAck("namespaces"), ["/", "/auth", "/custom", "/dyn-1", "/dyn-2", "/fn-a", "/mw"]);
    for (const [nsp, auth] of [["/dyn-x"], ["/fn-b", { key: "wrong" }], ["/nowhere"]]) {
      const [error] = await event(connect(nsp, { auth }), "connect_error");
      assert.equal(error.message, "Invalid namespace");
    }
    assert.equal(await fn.emitWithAck("echo", 1), 1);
  },

  async management() {
    const [a, b, c] = await Promise.all([connected(), connected(), connected()]);
    for (const socket of [a, b]) await socket.emitWithAck("join", "red");
    await a.emitWithAck("sockets-join", ["red"], ["blue", "green"]);
    await a.emitWithAck("sockets-leave", [b.id], "red");
    assert.deepEqual(await a.emitWithAck("fetch-sockets", ["blue"]), [a.id, b.id].sort());
    assert.deepEqual(await a.emitWithAck("fetch-sockets", ["red"]), [a.id]);
    assert.deepEqual(await a.emitWithAck("fetch-sockets", []), [a.id, b.id, c.id].sort());
    let gone = event(b, "disconnect");
    a.emit("disconnect-sockets", ["green", "red"], false);
    assert.equal((await gone)[0], "io server disconnect");
    gone = event(c, "disconnect");
    const closed = event(c.io, "close");
    c.emit("disconnect-sockets", [], true);
    assert.equal((await gone)[0], "io server disconnect");
    await closed;
  },

  // Twice: whoever came back is as any other. Nobody is told to leave, so both namespaces come back by themselves.
  async restart() {
    const socket = await connected("/", { reconnectionDelay: 100, reconnectionDelayMax: 300 });
    const custom = socket.io.socket("/custom");
    const both = [socket, custom];
    await event(custom, "connect");
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await Promise.all(both.map((one) => one.timeout(5000).emitWithAck("echo", i))), [i, i]);
      await socket.emitWithAck("join", "red");
      const before = both.map(({ id }) => id);
      const lost = Promise.all(both.map((one) => event(one, "disconnect")));
      await ask("restart");
      for (const [reason] of await lost) assert.ok(["transport close", "transport error"].includes(reason), reason);
      // Said while nobody listens: the client keeps it, and it arrives once.
      const echoes = [];
      custom.on("echo", (value) => echoes.push(value));
      if (!custom.connected) custom.emit("echo", "kept");
      else echoes.push("kept");
      await Promise.all(both.map((one) => one.connected || event(one, "connect")));
      both.forEach(({ id }, index) => assert.notEqual(id, before[index]));
      assert.deepEqual(await socket.timeout(5000).emitWithAck("leave", "red"), [socket.id]);
      await custom.timeout(5000).emitWithAck("echo", "behind it");
      assert.deepEqual(echoes, ["kept"]);
      custom.off("echo");
    }
  },

  // This client and the server speak different parsers: the server closes, and the client hears of no namespace.
  async mismatch() {
    const socket = connect("/", { reconnection: false });
    socket.on("connect", () => assert.fail("connected"));
    const [reason] = await event(socket.io, "close");
    assert.equal(reason, "transport close");
  },

  async crowd() {
    const many = await Promise.all(Array.from({ length: 200 }, () => connected()));
    assert.equal(new Set(many.map((socket) => socket.id)).size, 200);
    let heard = 0;
    for (const socket of many) socket.on("say", () => heard++);
    const echoes = await Promise.all(many.map((socket, i) => socket.timeout(20_000).emitWithAck("echo", i)));
    assert.deepEqual(echoes, [...Array(200).keys()]);
    many[0].emit("emit-all", "say", "hello");
    await Promise.all(many.map((socket) => socket.timeout(20_000).emitWithAck("echo", 0)));
    assert.equal(heard, 200);
  },
};

await scenarios[name]();
for (const socket of sockets) socket.disconnect();
process.exit(0);
