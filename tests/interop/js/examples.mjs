// The clients of docs/examples: `node examples.mjs NAME URL [TRANSPORTS]`. Exits 0 when the scenario holds; an
// assertion that fails ends it with a trace, and a wait that is too long with an error.

import assert from "node:assert/strict";
import { Socket } from "engine.io-client";
import WebSocket from "ws";

const [name, url, transports = "polling,websocket"] = process.argv.slice(2);

// Resolves with what the emitter passes with the next such event; rejects by an error or after 20 s.
function event(emitter, wanted) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(reject, new Error(`no "${wanted}" within 20 s`)), 20_000);
    const happened = (...args) => settle(resolve, args);
    const failed = (error) => settle(reject, error);
    function settle(outcome, value) {
      clearTimeout(timer);
      emitter.off(wanted, happened);
      emitter.off("error", failed);
      outcome(value);
    }
    emitter.on(wanted, happened);
    emitter.on("error", failed);
  });
}

async function connected(perMessageDeflate = true) {
  const socket = new WebSocket(url, { perMessageDeflate });
  await event(socket, "open");
  assert.equal(socket.extensions, perMessageDeflate ? "permessage-deflate" : "");
  return socket;
}

async function echo(socket, message) {
  const back = event(socket, "message");
  socket.send(message);
  const [data, isBinary] = await back;
  assert.equal(isBinary, typeof message !== "string");
  assert.ok(data.equals(Buffer.from(message)), `${data.length} bytes came back for ${message.length}`);
}

async function closed(socket) {
  const [code, reason] = await event(socket, "close");
  return [code, reason.toString()];
}

const TEXT = "gr\u00fc\u00dfe \ud83d\ude80 \u4f60\u597d \u0000\"\\";
const sizes = [1, 125, 126, 127, 65_535, 65_536, 65_537];

const scenarios = {
  async messages() {
    const socket = await connected();
    await echo(socket, "hello");
    await echo(socket, TEXT);
    await echo(socket, "");
    await echo(socket, Buffer.alloc(0));
    for (const size of sizes) {
      await echo(socket, "x".repeat(size));
      await echo(socket, Buffer.alloc(size, 0xfe));
    }
    const seen = [];
    const all = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${seen.length} of 2000 echoes within 20 s`)), 20_000);
      socket.on("message", (data) => seen.push(+data) === 2000 && (clearTimeout(timer), resolve()));
    });
    for (let i = 0; i < 2000; i++) socket.send(String(i));
    await all;
    assert.deepEqual(seen, [...Array(2000).keys()]);
    socket.close();
    await closed(socket);
  },

  async fragments() {
    const socket = await connected();
    for (const [parts, binary] of [[["a", "b", "", "c"], false], [["", ""], false], [["x".repeat(70_000), "y"], true]]) {
      const back = event(socket, "message");
      const pong = event(socket, "pong");
      parts.forEach((part, i) => {
        socket.send(Buffer.from(part), { binary, fin: i === parts.length - 1 });
        if (i === 0) socket.ping("between");
      });
      assert.equal((await pong)[0].toString(), "between");
      const [data, isBinary] = await back;
      assert.deepEqual([data.toString(), isBinary], [parts.join(""), binary]);
    }
    // A character of four bytes, one byte in a frame.
    const back = event(socket, "message");
    [...Buffer.from("\ud83d\ude80")].forEach((byte, i) => socket.send(Buffer.from([byte]), { binary: false, fin: i === 3 }));
    assert.equal((await back)[0].toString(), "\ud83d\ude80");
    socket.close();
    await closed(socket);
  },

  async pings() {
    const socket = await connected();
    for (const payload of ["", "payload", "x".repeat(125)]) {
      const pong = event(socket, "pong");
      socket.ping(payload);
      assert.equal((await pong)[0].toString(), payload);
    }
    socket.pong("nobody asked");
    await echo(socket, "still here");
    socket.close();
    await closed(socket);
  },

  // A megabyte, and 64 of them at once while the client does not read: partial writes, and reading pauses.
  async large() {
    const socket = await connected(false);
    const megabyte = Buffer.alloc(1_000_000, "0123456789");
    await echo(socket, megabyte);
    await echo(socket, megabyte.toString());
    let count = 0;
    const all = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${count} of 64 MB within 40 s`)), 40_000);
      socket.on("message", (data) => {
        assert.ok(data.equals(megabyte));
        if (++count === 64) { clearTimeout(timer); resolve(); }
      });
    });
    socket.pause();
    for (let i = 0; i < 63; i++) socket.send(megabyte);
    // Resumed when our side is stuck: what is queued here did not change for a while.
    for (let before = -1; before !== socket.bufferedAmount; await new Promise((resolve) => setTimeout(resolve, 250))) before = socket.bufferedAmount;
    assert.ok(socket.bufferedAmount > 0, "the server went on reading");
    socket.resume();
    socket.send(megabyte);
    await all;
    socket.close();
    await closed(socket);
  },

  // The server was started with --max-size 1000.
  async limit() {
    for (const [first, second] of [["x".repeat(1000), "x".repeat(1001)], [Buffer.alloc(1000), Buffer.alloc(1_000_000)]]) {
      const socket = await connected();
      await echo(socket, first);
      const end = closed(socket);
      socket.send(second);
      assert.deepEqual(await end, [1009, ""]);
    }
    const socket = await connected();
    const end = closed(socket);
    socket.send("x".repeat(600), { fin: false });
    socket.send("x".repeat(600), { fin: true });
    assert.deepEqual(await end, [1009, ""]);
  },

  async closes() {
    for (const [code, reason] of [[1000, ""], [1000, "bye"], [1001, ""], [1011, TEXT], [3000, ""], [4999, "x".repeat(123)]]) {
      const socket = await connected();
      const end = closed(socket);
      socket.close(code, reason);
      assert.deepEqual(await end, [code, reason]);
    }
    const socket = await connected();
    const end = closed(socket);
    socket.send("before");
    socket.close();
    assert.deepEqual((await event(socket, "message"))[0].toString(), "before");
    assert.deepEqual(await end, [1005, ""]);
  },

  // The test ends the server when it reads the line.
  async ended() {
    const socket = await connected();
    await echo(socket, "hello");
    console.log("> end");
    assert.deepEqual(await closed(socket), [1005, ""]);
  },

  async session() {
    const names = transports.split(",");
    const socket = new Socket(url, { transports: names });
    socket.binaryType = "nodebuffer";
    await event(socket, "open");
    assert.equal(socket.transport.name, names[0]);
    const seen = [];
    socket.on("message", (data) => seen.push(data));
    const upgraded = names.length > 1 ? event(socket, "upgrade") : undefined;
    const sent = [TEXT, " ", Buffer.from([0, 1, 254, 255]), "x".repeat(500_000), ...Array.from({ length: 200 }, (_, i) => String(i))];
    for (const message of sent) socket.send(message);
    await upgraded;
    socket.send("last");
    while (seen.at(-1) !== "last") await event(socket, "message");
    const brief = (message) => (message?.length > 1000 ? `${message.length} of ${message[0]}` : message);
    assert.deepEqual(seen.map(brief), [...sent, "last"].map(brief));
    assert.equal(socket.transport.name, names.at(-1));
    // The server was started with --ping-interval 0.2: two of its pings are answered in time.
    await event(socket, "ping");
    await event(socket, "ping");
    const end = event(socket, "close");
    socket.close();
    assert.equal((await end)[0], "forced close");
  },

  // The test ends the server when it reads the line; a GET is pending then, or a WebSocket open.
  async session_ended() {
    const socket = new Socket(url, { transports: transports.split(",") });
    const upgraded = transports.includes(",") ? event(socket, "upgrade") : undefined;
    await event(socket, "open");
    await upgraded;
    const back = event(socket, "message");
    socket.send("hello");
    assert.deepEqual(await back, ["hello"]);
    const end = event(socket, "close");
    // The next GET is on its way only after the events of the last one; nothing tells when it has arrived.
    if (transports === "polling") await new Promise((resolve) => setTimeout(resolve, 500));
    console.log("> end");
    assert.equal((await end)[0], "transport close");
  },

  // The server closes when it is told to, and says all that it had to say before.
  async session_closed() {
    const socket = new Socket(url, { transports: transports.split(",") });
    const seen = [];
    socket.on("message", (data) => seen.push(data));
    await event(socket, "open");
    const end = event(socket, "close");
    for (const message of ["a", "b", "close-me", "c"]) socket.send(message);
    assert.equal((await end)[0], "transport close");
    assert.deepEqual(seen, ["a", "b"]);
  },
};

await scenarios[name]();
process.exit(0);
