// The other parsers: socket.io-msgpack-parser, and the conformance target's own one of JSON texts. With the official
// client, and spoken badly by bare messages.

import { createRequire } from "node:module";
import { sleep } from "./session_context.mjs";
import { ask, leave, official, polling, ws } from "./scenarios_official.mjs";
import { PARSERS } from "./target_options.mjs";

const { encode } = createRequire(import.meta.url)("notepack.io");

// What is said in either. The custom parser has no form for bytes.
function conversations(kind, bytes) {
  const parser = PARSERS[kind]();
  const scenario = (name, about, run) => official(`sio-${kind}-${name}`, `${kind}: ${about}`, run, { options: { parser: kind } });
  const with_ = (transport) => ({ ...transport, parser });

  const talk = (transport, namespace) => async (ctx) => {
    const socket = await ctx.socket(namespace, { ...with_(transport), auth: { token: "ok", a: [1, null] } });
    await sleep(50);
    for (const args of [[], ["text", 1, -1, 1.5, true, null], [{ a: { b: [] } }, "h\u00e9 \u20ac", 70000, 5e9], [bytes([1, 2]), { b: bytes([]) }]]) {
      socket.emit("message", ...args);
      await ctx.event(socket, "message-back");
    }
    await ask(socket, "message-with-ack", "one", bytes([3]));
    await ask(socket, "message-with-ack");
    socket.on("question", (a, ack) => ack(a, "second"));
    await ask(socket, "ask", 1000, "question", [bytes([9])]);
    await leave(ctx, socket);
  };

  return [
    scenario("websocket", "events and acknowledgements over WebSocket", talk(ws, "/")),
    scenario("polling", "the same over polling", talk(polling, "/")),
    scenario("custom", "in another namespace", talk(ws, "/custom")),
    scenario("upgrade", "polling first, then the upgrade", async (ctx) => {
      const socket = await ctx.socket("/", { parser });
      await sleep(300);
      socket.emit("message", bytes([1]));
      await ctx.event(socket, "message-back");
      await leave(ctx, socket);
    }),
    scenario("refusal", "refusals, by a middleware and of a name", async (ctx) => {
      const manager = ctx.manager(with_(ws));
      const main = await ctx.socket("/", { manager });
      for (const [name, auth] of [["/auth", { token: "wrong" }], ["/auth"], ["/nowhere"]]) {
        const socket = manager.socket(name, { auth });
        socket.connect();
        await ctx.event(socket, "connect_error");
      }
      await leave(ctx, main);
    }),
    scenario("rooms", "rooms, their members' ids, and what the server does to them", async (ctx) => {
      const [a, b] = [await ctx.socket("/", with_(ws)), await ctx.socket("/", with_(polling))];
      await sleep(50);
      await ask(a, "join", "~red");
      await ask(b, "join", "~red");
      let got = ctx.event(b, "say");
      a.emit("to", [b.id], [], "say", bytes([1]), "to b");
      await got;
      got = Promise.all([ctx.event(a, "say"), ctx.event(b, "say")]);
      a.emit("nsp-to", ["~red"], [], "say", bytes([2]));
      await got;
      for (const socket of [a, b]) socket.on("question", (ack) => ack(bytes([7])));
      await ask(a, "ask-room", ["~red"], 1000, "question", []);
      await sleep(50);
      b.emit("disconnect-me", false);
      await ctx.event(b, "disconnect");
      a.emit("disconnect-me", true);
      await ctx.event(a, "disconnect");
      await sleep(50);
    }),
    scenario("namespaces", "two namespaces of one connection, one left, then the other taken away", async (ctx) => {
      const manager = ctx.manager(with_(ws));
      const [main, dynamic] = [await ctx.socket("/", { manager }), await ctx.socket("/dyn-1", { manager })];
      dynamic.disconnect();
      await ctx.log("disconnect");
      await ask(main, "echo", "still here");
      const gone = ctx.event(main, "disconnect");
      main.emit("disconnect-me", false);
      await gone;
      await sleep(50);
    }),
    official(`sio-${kind}-recovery`, `${kind}: a dropped client comes back to what it missed`, async (ctx) => {
      const [a, b] = [await ctx.socket("/", with_(ws)), await ctx.socket("/", with_(ws))];
      await sleep(50);
      await ask(a, "join", "~red");
      const gone = ctx.event(a, "disconnect");
      a.io.engine.transport.ws.terminate();
      await gone;
      await ctx.log("disconnect");
      b.emit("nsp-to", ["~red"], [], "say", bytes([1, 2]), 0);
      await ask(b, "echo", "done");
      a.connect();
      await ctx.event(a, "connect");
      await ask(a, "leave", "~none");
      await leave(ctx, a, b);
    }, { options: { parser: kind, connectionStateRecovery: {} } }),
  ];
}

function badly(kind, name, about, ...messages) {
  return {
    name: `sio-${kind}-${name}`,
    about: `${kind}: ${about}`,
    client: "bare HTTP and ws",
    options: { parser: kind },
    run: async (ctx) => {
      const link = await ctx.websocket();
      await link.next();
      for (const message of messages) link.send(message);
      await link.closed;
    },
  };
}

const packed = (packet) => encode(packet);
const connect = packed({ type: 0, data: undefined, nsp: "/" });

/** The connection is in `/` first. */
function badlyInside(kind, name, about, first, message) {
  const scenario = badly(kind, name, about);
  return {
    ...scenario,
    run: async (ctx) => {
      const link = await ctx.websocket();
      await link.next();
      link.send(first);
      for (let i = 0; i < 2; i++) await link.next();
      link.send(message);
      await link.closed;
    },
  };
}

// A name that a client may not send, in a parser that looks at no names.
const RESERVED = {
  ...badly("msgpack", "reserved", "an event with a reserved name"),
  run: async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send(connect);
    for (let i = 0; i < 2; i++) await link.next();
    link.send(packed({ type: 2, data: ["disconnect", "boo"], nsp: "/" }));
    await Promise.race([link.closed, sleep(200)]);
    link.close();
    await link.closed;
    await sleep(20);
  },
};

const MSGPACK = [
  RESERVED,
  badly("msgpack", "text", "a text", '40{"a":1}'),
  badly("msgpack", "garbage", "bytes that are no packet", Buffer.from([0xc1])),
  badly("msgpack", "cut", "a packet that is cut off", connect.subarray(0, -1)),
  badlyInside("msgpack", "type", "a type that there is none of", connect, packed({ type: 5, data: ["message"], nsp: "/" })),
  badlyInside("msgpack", "namespace", "a namespace that is no text", connect, packed({ type: 2, data: ["message"], nsp: 1 })),
  badlyInside("msgpack", "data", "an event that is no list", connect, packed({ type: 2, data: { a: 1 }, nsp: "/" })),
  badlyInside("msgpack", "id", "an id that is no integer", connect, packed({ type: 2, data: ["message"], id: "1", nsp: "/" })),
  badlyInside("msgpack", "disconnect-data", "a DISCONNECT with data", connect, packed({ type: 1, data: [], nsp: "/" })),
];
const JSON_TEXT = [
  badly("json", "garbage", "a text that is no JSON", "4{"),
  badlyInside("json", "type", "a type that is no integer", '4{"type":0,"nsp":"/"}', '4{"type":"2","nsp":"/","data":["message"]}'),
  badlyInside("json", "namespace", "a namespace that is no text", '4{"type":0,"nsp":"/"}', '4{"type":2,"data":["message"]}'),
];

export const OTHER_PARSERS = [
  ...conversations("msgpack", (values) => Buffer.from(values)),
  ...conversations("json", (values) => values),
  ...MSGPACK,
  ...JSON_TEXT,
];
