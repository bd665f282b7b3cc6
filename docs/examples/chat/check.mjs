// Drives a running chat once with the official client for Node.js and prints what it saw.
//
//     node check.mjs http://localhost:3000
//
// Exits with 0 if all of it is as it should be, else with 1 and the reason. `socket.io-client` is taken from
// tests/interop/js/node_modules, or from the node_modules named by SOCKETIO_NODE_MODULES.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const url = process.argv[2] ?? "http://localhost:3000";
const modules = process.env.SOCKETIO_NODE_MODULES
  ?? fileURLToPath(new URL("../../../tests/interop/js/node_modules", import.meta.url));
const require = createRequire(`${modules}/check.cjs`);
const { io } = require("socket.io-client");
const { version } = require("socket.io-client/package.json");

const ROOM = `check ${process.pid}`;
const LIMIT_MS = 20_000;
const clients = [];
let lastError = "";
const saw = (what) => console.log(`  ok  ${what}`);
const sleepUntil = async (condition, what) => {
  for (const end = Date.now() + 5_000; !condition(); ) {
    assert(Date.now() < end, `${what}: not within 5 s`);
    await new Promise((done) => setTimeout(done, 10));
  }
};

/** A client that is in the room; `name` is its name, `options` are the official client's. */
async function enter(name, options = {}) {
  const socket = io(url, { forceNew: true, reconnectionDelay: 100, ...options });
  clients.push(socket);
  const client = { name, socket, transports: [], got: {} };
  for (const event of ["message", "people", "typing"]) {
    client.got[event] = [];
    socket.on(event, (...args) => client.got[event].push(args));
  }
  socket.io.on("open", () => {
    const { engine } = socket.io;
    client.transports.push(engine.transport.name);
    engine.on("upgrade", ({ name: transport }) => client.transports.push(transport));
  });
  // A refused connection is tried again: the server may still be starting.
  socket.on("connect_error", ({ message }) => { lastError = `; ${name} could not connect: ${message}`; });
  await new Promise((connected) => socket.once("connect", connected));
  lastError = "";
  client.ask = (...args) => socket.timeout(5_000).emitWithAck(...args);
  client.next = async (event, test) => {
    await sleepUntil(() => client.got[event].some(test), `${name} gets “${event}”`);
    return client.got[event].find(test);
  };
  const answer = await client.ask("join", `user-${name}`, name, ROOM);
  assert.deepEqual([answer.ok, answer.room], [true, ROOM], JSON.stringify(answer));
  return client;
}

async function main() {
  console.log(`socket.io-client ${version} on Node.js ${process.version} -> ${url}`);

  const ada = await enter("Ada");
  const bob = await enter("Bob");
  const cy = await enter("Cy", { transports: ["polling"] });
  const dee = await enter("Dee", { transports: ["websocket"] });
  const names = ([, people]) => people.map(({ name }) => name).sort().join();
  await ada.next("people", (args) => names(args) === "Ada,Bob,Cy,Dee");
  saw("four clients joined a room, and each is listed in it");

  bob.socket.emit("typing", ROOM, true);
  const typing = await ada.next("typing", () => true);
  assert.deepEqual(typing, [ROOM, "user-Bob", "Bob", true]);
  saw("Ada sees that Bob is typing");

  const words = "Grüße 👋 \u2028 <b>not markup</b>";
  const answer = await ada.ask("chat", ROOM, words);
  assert.equal(answer.ok, true, JSON.stringify(answer));
  for (const { next } of [bob, cy, dee]) {
    const [message] = await next("message", ([{ id }]) => id === answer.id);
    assert.deepEqual([message.text, message.name, message.room], [words, "Ada", ROOM]);
  }
  saw(`Ada's message was acknowledged (id ${answer.id}) and reached the other three`);

  for (const client of [ada, bob]) {
    await sleepUntil(() => client.transports.includes("websocket"), `${client.name} upgrades`);
    assert.deepEqual(client.transports, ["polling", "websocket"]);
  }
  assert.deepEqual([cy.transports, dee.transports], [["polling"], ["websocket"]]);
  saw("transports: Ada and Bob polling -> websocket, Cy polling only, Dee websocket only");

  const picture = Buffer.alloc(300_000, "\u0000\u0001\u00fe\u00ff", "latin1");
  picture.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  for (const [from, to] of [[bob, [ada, cy, dee]], [cy, [ada, bob, dee]]]) {
    const sent = await from.ask("image", ROOM, "check.png", picture);
    assert.equal(sent.ok, true, JSON.stringify(sent));
    for (const { name, next } of to) {
      const [message] = await next("message", ([{ id }]) => id === sent.id);
      assert(Buffer.isBuffer(message.image), `${name} got an image that is not binary`);
      assert(message.image.equals(picture), `${name} got other bytes than ${from.name} sent`);
      assert.equal(message.type, "image/png");
    }
  }
  saw("an image of 300 kB arrived as binary, byte for byte, from Bob (websocket) and from Cy (polling)");

  const refused = [
    ["chat", ROOM, ""], ["chat", ROOM, 42], ["chat", "another room", "hi"],
    ["image", ROOM, "x.png", Buffer.from("GIF but not really")], ["image", ROOM, "x.png", "text"],
    ["image", ROOM, "x.png", Buffer.concat([picture, picture, picture])], ["join", "user-Ada", "Ada", "x".repeat(99)],
  ];
  for (const request of refused) {
    const { ok, error } = await ada.ask(...request);
    assert.equal(ok, false, `accepted ${request[0]} with unacceptable content`);
    assert.equal(typeof error, "string");
  }
  saw(`${refused.length} unacceptable requests were refused, each with a reason`);

  const newcomer = await enter("Eve");
  const { history } = await newcomer.ask("join", "user-Eve", "Eve", ROOM);
  assert.deepEqual(history.map(({ id }) => id).slice(0, 1), [answer.id]);
  assert(history.every((message) => !("image" in message)));
  saw(`a newcomer gets the history: ${history.length} messages`);

  ada.got.people.length = 0;
  bob.socket.disconnect();
  await ada.next("people", (args) => names(args) === "Ada,Cy,Dee,Eve");
  saw("Bob left, and Ada sees it");

  const page = await fetch(url);
  assert.deepEqual([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assert.match(await page.text(), /\/socket\.io\/socket\.io\.js/);
  const bundle = await (await fetch(`${url}/socket.io/socket.io.js`)).text();
  assert(bundle.includes(`Socket.IO v${version}`), "the bundle is not the official one of this version");
  assert.equal((await fetch(`${url}/../server.py`)).status, 404);
  saw(`the page is served, and with it the official bundle v${version}`);
}

const deadline = setTimeout(() => finish(new Error(`not done within ${LIMIT_MS / 1000} s${lastError}`)), LIMIT_MS);
function finish(error) {
  clearTimeout(deadline);
  for (const socket of clients) socket.disconnect();
  if (error) console.error(`  FAILED  ${error.message}`);
  else console.log("All as it should be.");
  process.exitCode = error ? 1 : 0;
  if (error) process.exit(); // whatever else is pending would keep it alive
}
main().then(() => finish(), finish);
