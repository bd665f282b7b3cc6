// Engine.IO 3 (`allowEIO3`), and JSONP, which both protocols have. Bare HTTP and frames, and engine.io-client 3.

import { createRequire } from "node:module";
import { sleep } from "./session_context.mjs";

const require = createRequire(import.meta.url);
const ENABLED = { options: { allowEIO3: true } };
const HEARTBEAT = { options: { allowEIO3: true, pingInterval: 300, pingTimeout: 200 } };
const POLLING = "EIO=3&transport=polling";
const DIRECT = "EIO=3&transport=websocket";

function bare(name, about, run, more = {}) {
  return { name, about, mode: "engineio", client: "bare HTTP and ws", run, ...ENABLED, ...more };
}

/** A text payload: the length counts UTF-16 code units. */
const text = (...packets) => packets.map((packet) => `${packet.length}:${packet}`).join("");

/** A binary payload of strings and Buffers (the first byte of these is the packet's type). */
function binary(...packets) {
  const parts = packets.map((packet) => {
    const body = Buffer.from(packet);
    const head = [typeof packet === "string" ? 0 : 1, ...[...String(body.length)].map(Number), 0xff];
    return Buffer.concat([Buffer.from(head), body]);
  });
  return Buffer.concat(parts);
}

const BYTES = Buffer.from([4, 1, 2, 3, 4]);
const OCTETS = { headers: { "content-type": "application/octet-stream" } };

/** One POST with this body ends the session; a poll waits meanwhile. */
function closing(name, about, body, options) {
  return bare(name, about, async (ctx) => {
    const session = await ctx.polling(POLLING);
    const poll = session.poll();
    await sleep(20);
    await session.post(body, options);
    await poll;
    await session.poll();
  });
}

/** One message on a direct link ends it. */
function closingLink(name, about, message) {
  return bare(name, about, async (ctx) => {
    const link = await ctx.websocket(DIRECT);
    await link.next();
    link.send(message);
    await link.closed;
  });
}

async function upgraded(ctx) {
  const session = await ctx.polling(POLLING);
  const poll = session.poll();
  const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
  link.send("2probe");
  await link.next();
  await poll;
  link.send("5");
  await ctx.log("upgrade");
  return { session, link };
}

const BARE = [
  bare("eio3-polling-echo", "text there and back; lengths count UTF-16 code units", async (ctx) => {
    const session = await ctx.polling(POLLING);
    for (const message of ["4hello", "4h\u00e9llo \u20ac \ud83d\ude00", "4"]) {
      const poll = session.poll();
      await session.post(text(message));
      await poll;
    }
  }),
  bare("eio3-polling-payload", "several packets in a payload, in both directions", async (ctx) => {
    const session = await ctx.polling(POLLING);
    await session.post(text("4one", "4two", "4three"));
    await session.poll();
  }),
  bare("eio3-polling-binary", "bytes make a payload binary, unless there are none", async (ctx) => {
    const session = await ctx.polling(POLLING);
    await session.post(binary(BYTES), OCTETS);
    await session.poll();
    await session.post(binary("4h\u00e9llo \u20ac", BYTES, "4end"), OCTETS);
    await session.poll();
    await session.post(binary("4only text"), OCTETS);
    await session.poll();
  }),
  bare("eio3-polling-base64", "a client that takes no binary gets base64, and sends it", async (ctx) => {
    const session = await ctx.polling(`${POLLING}&b64=1`);
    await session.post(text("b4AQIDBA==", "4text", "b4AQID"));
    await session.poll();
  }),
  bare("eio3-polling-base64-to-binary", "base64 is taken from any client", async (ctx) => {
    const session = await ctx.polling(POLLING);
    await session.post(text("b4AQIDBA=="));
    await session.poll();
  }),
  bare("eio3-empty-messages", "packets of no length are skipped", async (ctx) => {
    const session = await ctx.polling(POLLING);
    await session.post("0:2:4a0:");
    await session.poll();
  }),
  bare("eio3-other-protocols", "whatever is not 4 is 3", async (ctx) => {
    for (const eio of ["EIO=3&", "EIO=5&", "EIO=abc&", "EIO=&", ""]) await ctx.polling(`${eio}transport=polling`);
    await ctx.polling("EIO=4&transport=polling");
  }),
  bare("eio3-protocol-mismatch", "a session is of one protocol", async (ctx) => {
    const session = await ctx.polling(POLLING);
    await ctx.get(`EIO=4&transport=polling&sid=${session.sid}`);
    await session.post(text("4still here"));
    await session.poll();
  }),
  bare("eio3-errors", "codes 0 to 3 are those of protocol 4", async (ctx) => {
    await ctx.get("EIO=3&transport=abc");
    await ctx.get(`${POLLING}&sid=nobody`);
    await ctx.request("POST", `/engine.io/?${POLLING}`, { body: text("4a") });
    await ctx.get(DIRECT);
  }),
  bare("eio3-heartbeat-polling", "the client pings, the server answers without data", async (ctx) => {
    const session = await ctx.polling(POLLING);
    for (const ping of ["2", "2probe", "2"]) {
      const poll = session.poll();
      await sleep(200);
      await session.post(text(ping));
      await poll;
    }
    await session.post(text("1"));
    await ctx.log("disconnect");
  }, HEARTBEAT),
  bare("eio3-heartbeat-ws", "pings on a WebSocket keep the session", async (ctx) => {
    const link = await ctx.websocket(DIRECT);
    await link.next();
    for (let i = 0; i < 3; i++) {
      await sleep(200);
      link.send("2");
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }, HEARTBEAT),
  bare("eio3-ping-timeout-polling", "no ping within interval and timeout together: over", async (ctx) => {
    const session = await ctx.polling(POLLING);
    await session.poll();
    await session.poll();
  }, HEARTBEAT),
  bare("eio3-ping-timeout-ws", "the same on a WebSocket, although messages come", async (ctx) => {
    const link = await ctx.websocket(DIRECT);
    await link.next();
    await sleep(300);
    link.send("4a");
    await link.next();
    await link.closed;
  }, HEARTBEAT),
  closing("eio3-pong-from-client", "a pong goes the wrong way", text("3")),
  closingLink("eio3-pong-from-client-ws", "a pong goes the wrong way on a WebSocket too", "3"),
  bare("eio3-client-close-polling", "a close packet ends the session, the waiting poll gets a noop", async (ctx) => {
    const session = await ctx.polling(POLLING);
    const poll = session.poll();
    await sleep(20);
    await session.post(text("1", "4late"));
    await poll;
    await session.poll();
  }),
  bare("eio3-server-close-polling", "the server closes: a waiting poll gets the close packet, a later one a noop before it", async (ctx) => {
    const first = await ctx.polling(POLLING);
    const poll = first.poll();
    await sleep(20);
    await first.post(text("4close-me"));
    await poll;
    const second = await ctx.polling(POLLING);
    await second.post(text("4close-me"));
    await sleep(20);
    await second.poll();
  }),
  bare("eio3-server-close-ws", "the server closes a WebSocket", async (ctx) => {
    const link = await ctx.websocket(DIRECT);
    await link.next();
    link.send("4close-me");
    await link.closed;
  }),
  bare("eio3-overlapping-polls", "a second poll while one waits closes the session", async (ctx) => {
    const session = await ctx.polling(POLLING);
    const first = session.poll();
    await sleep(20);
    await session.poll();
    await first;
    await session.poll();
  }),
  bare("eio3-post-too-large", "the limit holds for both forms of a payload", async (ctx) => {
    const session = await ctx.polling(POLLING);
    await session.post(text(`4${"x".repeat(100)}`));
    await session.post(binary(Buffer.alloc(100, 4)), OCTETS);
    await session.post(text("4a"));
    await session.poll();
  }, { options: { allowEIO3: true, maxHttpBufferSize: 100 } }),
  closing("eio3-invalid-length", "a length that is no number", "x:4a"),
  closing("eio3-no-length", "no length", ":4a"),
  closing("eio3-short", "a packet that is shorter than its length", "9:4a"),
  closing("eio3-no-colon", "digits without a colon behind a packet", "2:4a12"),
  closing("eio3-empty-post", "an empty body", ""),
  closing("eio3-invalid-packet", "a packet of no type, behind one that counts", text("4a", "9b", "4c")),
  closing("eio3-invalid-binary", "a binary payload with a length of letters", Buffer.from([0, 0x61, 0xff, 0x34]), OCTETS),
  closing("eio3-long-binary-length", "a binary payload whose length has 312 digits", Buffer.concat([Buffer.alloc(313, 1), Buffer.from([0xff, 0x34])]), OCTETS),
  closingLink("eio3-invalid-packet-ws", "a packet of no type on a WebSocket", "9b"),
  bare("eio3-ws-echo", "a direct WebSocket: text as in protocol 4", async (ctx) => {
    const link = await ctx.websocket(DIRECT);
    await link.next();
    for (const message of ["hello", "", "h\u00e9llo \u20ac \ud83d\ude00"]) {
      link.send(`4${message}`);
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio3-ws-binary", "a binary message begins with its type", async (ctx) => {
    const link = await ctx.websocket(DIRECT);
    await link.next();
    for (const bytes of [BYTES, Buffer.from([4])]) {
      link.send(bytes);
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio3-ws-base64", "a client that takes no binary gets base64 on a WebSocket", async (ctx) => {
    const link = await ctx.websocket(`${DIRECT}&b64=1`);
    await link.next();
    link.send("b4AQIDBA==");
    await link.next();
    link.send(BYTES);
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio3-upgrade", "probe, noop for the waiting poll, upgrade; text and bytes on the link", async (ctx) => {
    const { session, link } = await upgraded(ctx);
    link.send("4hello");
    await link.next();
    link.send(BYTES);
    await link.next();
    await session.poll(); // a transport mismatch
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio3-upgrade-buffered", "what was buffered for a poll goes out on the new link", async (ctx) => {
    const session = await ctx.polling(POLLING);
    const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    link.send("2probe");
    await link.next();
    await session.post(text("4one", "b4AQID"));
    link.send("5");
    await link.next();
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio3-heartbeat-upgraded", "the client goes on pinging on the new link", async (ctx) => {
    const { link } = await upgraded(ctx);
    for (let i = 0; i < 3; i++) {
      await sleep(200);
      link.send("2");
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }, HEARTBEAT),
  bare("eio3-not-allowed", "allowEIO3 false: code 5", async (ctx) => {
    await ctx.get(POLLING);
  }, { options: { allowEIO3: false } }),
];

const form = (value) => ({ body: `d=${encodeURIComponent(value)}`, headers: { "content-type": "application/x-www-form-urlencoded" } });

/** JSONP needs no option. */
const jsonp = (name, about, run) => bare(name, about, run, { options: {} });

/** A JSONP session of protocol `eio`; `encode` makes a payload. */
function echoed(eio, encode) {
  return bare(`eio${eio === 3 ? "3" : ""}-jsonp`, `JSONP with protocol ${eio}: answers are calls, POSTs are forms`, async (ctx) => {
    const session = await ctx.polling(`EIO=${eio}&transport=polling&j=0${eio === 3 ? "&b64=1" : ""}`);
    let calls = 0;
    for (const message of ["4hello", "4a \"quoted\" line\u2028separator \u20ac"]) {
      const poll = ctx.request("GET", session.target.replace("j=0", `j=${++calls}`));
      const { body, headers } = form(encode(message));
      await ctx.request("POST", session.target, { body, headers });
      await poll;
    }
    const poll = ctx.request("GET", session.target.replace("j=0", `j=${++calls}`));
    const bytes = form(encode(eio === 3 ? "b4AQID" : "bAQID"));
    await ctx.request("POST", session.target, bytes);
    await poll;
  }, { options: eio === 3 ? { allowEIO3: true } : {} });
}

const JSONP = [
  echoed(4, (packet) => packet),
  echoed(3, (packet) => text(packet)),
  jsonp("eio-jsonp-newlines", "escaped line ends in a form are line ends, escaped ones of these are not", async (ctx) => {
    const session = await ctx.polling("EIO=4&transport=polling&j=0");
    for (const message of ["4a\\nb", "4a\\\\nb", "4a\nb"]) {
      const { body, headers } = form(message);
      await ctx.request("POST", session.target, { body, headers });
      await ctx.request("GET", session.target);
    }
  }),
  jsonp("eio-jsonp-forms", "a form without one text in d says nothing", async (ctx) => {
    const session = await ctx.polling("EIO=4&transport=polling&j=0");
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    for (const body of ["", "e=4a", "d=4a&d=4b", "d=4still+here%21"]) await ctx.request("POST", session.target, { body, headers });
    await ctx.request("GET", session.target);
  }),
  jsonp("eio-jsonp-index", "of the index only digits are written; without text it is empty", async (ctx) => {
    for (const index of ["12", "1);alert(2", "abc", ""]) await ctx.get(`EIO=4&transport=polling&j=${index}`);
  }),
  jsonp("eio-jsonp-closes", "a close packet by form, an undecodable one, an overlap", async (ctx) => {
    const first = await ctx.polling("EIO=4&transport=polling&j=0");
    const poll = ctx.request("GET", first.target);
    await sleep(20);
    await ctx.request("POST", first.target, form("1"));
    await poll;
    const second = await ctx.polling("EIO=4&transport=polling&j=0");
    const waiting = ctx.request("GET", second.target);
    await sleep(20);
    await ctx.request("GET", second.target);
    await waiting;
    const third = await ctx.polling("EIO=4&transport=polling&j=0");
    await ctx.request("POST", third.target, form("4close-me"));
    await sleep(20);
    await ctx.request("GET", third.target);
  }),
  jsonp("eio-jsonp-upgrade", "a JSONP session upgrades like any other", async (ctx) => {
    const session = await ctx.polling("EIO=4&transport=polling&j=0");
    const poll = ctx.request("GET", session.target);
    const link = await ctx.websocket(`EIO=4&transport=websocket&sid=${session.sid}`);
    link.send("2probe");
    await link.next();
    await poll;
    link.send("5");
    await ctx.log("upgrade");
    link.send("4a");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
];

/** engine.io-client 3, the client of the 2.x line. */
function official(name, about, options, upgrade) {
  return {
    name,
    about,
    mode: "engineio",
    client: "engine.io-client-3",
    ...ENABLED,
    run: async (ctx) => {
      const client = require("engine.io-client-3")(ctx.url, { path: ctx.path, ...options });
      ctx.cleanups.push(() => client.close());
      await ctx.event(client, "open");
      if (upgrade) await ctx.log("upgrade");
      for (const message of ["hello", "h\u00e9llo \u20ac", Buffer.from([1, 2, 3, 4])]) {
        const answer = ctx.event(client, "message");
        client.send(message);
        await answer;
      }
      await sleep(50);
      client.close();
      await ctx.log("disconnect");
    },
  };
}

const OFFICIAL = [
  official("eio3-official-polling", "engine.io-client 3 on polling: text, binary, its own close", { transports: ["polling"] }, false),
  official("eio3-official-base64", "the same without binary", { transports: ["polling"], forceBase64: true }, false),
  official("eio3-official-websocket", "engine.io-client 3 on WebSocket", { transports: ["websocket"] }, false),
  official("eio3-official-upgrade", "engine.io-client 3 upgrades by itself", {}, true),
];

export const PROTOCOL3 = [...BARE, ...JSONP, ...OFFICIAL];
