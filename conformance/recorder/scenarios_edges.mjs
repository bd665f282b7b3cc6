// What a client may also do to the engine, and mostly should not: requests, headers, frames, upgrades. Bare bytes.

import { sleep } from "./session_context.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, mode: "engineio", client: "bare HTTP and ws", run, ...more };
}

const DIRECT = "EIO=4&transport=websocket";
const KEY = "AAAAAAAAAAAAAAAAAAAAAA==";

/** An upgrade request, as bytes: `headers` replace the right ones. */
async function handshake(ctx, headers, method = "GET") {
  const all = { Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const { answer } = ctx.raw(
    [`${method} /engine.io/?${DIRECT} HTTP/1.1`, "Host: 127.0.0.1", "Connection: Upgrade", ...lines, "", ""].join("\r\n"),
  );
  return answer;
}

/** A masked frame (with a mask of zeros) from its first byte and its payload. */
function frame(first, payload, { mask = true } = {}) {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([first, (mask ? 0x80 : 0) | bytes.length]), Buffer.alloc(mask ? 4 : 0), bytes]);
}

/** What is no frame, or no text, closes the link; the server says why. */
function badFrame(name, about, bytes) {
  return bare(`eio-ws-bad-${name}`, about, async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.socket._socket.write(bytes);
    await link.closed;
  });
}

/** A candidate for the upgrade of a polling session; then the session is shown to live on polling. */
function candidate(name, about, act, more) {
  return bare(`eio-upgrade-${name}`, about, async (ctx) => {
    const session = await ctx.polling();
    const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    await act(link, ctx, session);
    await session.post("4still here");
    await session.poll();
  }, more);
}

const REQUESTS = [
  bare("eio-invalid-origin", "an Origin with a character that no header may hold", async (ctx) => {
    await ctx.raw("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nOrigin: http://a\x7fb\r\n\r\n").answer;
  }),
  bare("eio-head", "HEAD opens no session, and no transport has it", async (ctx) => {
    await ctx.request("HEAD", "/engine.io/?EIO=4&transport=polling");
    const session = await ctx.polling();
    await ctx.request("HEAD", session.target);
  }),
  bare("eio-transport-mismatch", "code 3: a WebSocket's transport by a plain request, polling after an upgrade", async (ctx) => {
    const session = await ctx.polling();
    await ctx.get(`${DIRECT}&sid=${session.sid}`);
    const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    link.send("2probe");
    await link.next();
    link.send("5");
    await ctx.log("upgrade");
    await session.poll();
    await session.post("4a");
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-old-browser", "answers for Internet Explorer have a header more", async (ctx) => {
    const headers = { "user-agent": "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko" };
    const session = await ctx.polling("EIO=4&transport=polling", { headers });
    await session.post("4a", { headers: { ...headers, "content-type": "text/plain" } });
    await session.poll();
    await ctx.get("EIO=4&transport=polling", { headers: { "user-agent": "Mozilla/4.0 (compatible;MSIE 7.0; Windows NT 6.0)" } });
    await ctx.get("EIO=4&transport=polling", { headers: { "user-agent": "Mozilla/4.0 (compatible; MSIE 7.0; Trident/4.0)" } });
  }),
  bare("eio-lenient-base64", "base64 is read as Node reads it: url-safe, without padding, over junk", async (ctx) => {
    const session = await ctx.polling();
    await session.post(["b-_8=", "bAQI", "bAQ ID!", "b"].join("\x1e"));
    await session.poll();
  }),
  bare("eio-content-types", "any other content type is text", async (ctx) => {
    const session = await ctx.polling();
    for (const type of ["application/json", "text/html; charset=latin1", "application/octet-stream; x=y"]) {
      await session.post("4\u20ac", { headers: { "content-type": type } });
      await session.poll();
    }
  }),
  bare("eio-many-packets", "the number of packets in a payload has no bound of its own", async (ctx) => {
    const session = await ctx.polling();
    await session.post(Array.from({ length: 300 }, (_, i) => `4${i}`).join("\x1e"));
    await session.poll();
  }),
  bare("eio-timeout-during-post", "a session that ends while a POST arrives: the POST gets no answer", async (ctx) => {
    const session = await ctx.polling();
    const post = session.post("4hal", { length: 100 });
    await post;
    await session.poll();
  }, { options: { pingInterval: 300, pingTimeout: 200 } }),
];

const LINKS = [
  bare("eio-ws-subprotocol", "the first subprotocol that is offered is taken", async (ctx) => {
    const link = await ctx.websocket(DIRECT, { protocols: ["chat", "superchat"] });
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-ws-version-8", "version 8 of the protocol is taken too", async (ctx) => {
    const link = await ctx.websocket(DIRECT, { protocolVersion: 8 });
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-ws-bad-handshake", "what ws refuses: keys, versions, subprotocols, extensions", async (ctx) => {
    for (const headers of [
      { "Sec-WebSocket-Key": "" },
      { "Sec-WebSocket-Key": "short" },
      { "Sec-WebSocket-Version": "12" },
      { "Sec-WebSocket-Version": "" },
      { "Sec-WebSocket-Protocol": "a,,b" },
      { "Sec-WebSocket-Protocol": "a, a" },
    ]) await handshake(ctx, headers);
  }),
  bare("eio-ws-bad-upgrade", "an upgrade to something else", async (ctx) => {
    await handshake(ctx, { Upgrade: "h2c" });
    await handshake(ctx, { Upgrade: "WebSocket, h2c" });
  }),
  bare("eio-ws-post", "an upgrade by POST", async (ctx) => {
    await handshake(ctx, {}, "POST");
  }),
  bare("eio-ws-transport-polling", "an upgrade with transport=polling is accepted and closed at once", async (ctx) => {
    const link = await ctx.websocket("EIO=4&transport=polling");
    await link.closed;
    const session = await ctx.polling();
    const second = await ctx.websocket(`EIO=4&transport=polling&sid=${session.sid}`);
    await second.closed;
    await session.post("4still here");
    await session.poll();
  }),
  bare("eio-ws-second-link", "a second link for a session that began on a WebSocket", async (ctx) => {
    const link = await ctx.websocket();
    const open = await link.next();
    const second = await ctx.websocket(`${DIRECT}&sid=${JSON.parse(open.slice(1)).sid}`);
    second.send("2probe");
    await sleep(40);
    link.send("4still here");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  badFrame("bits", "a reserved bit: 1002", frame(0xa1, "4a")),
  badFrame("compressed", "a compressed frame that was not agreed on: 1002", frame(0xc1, "4a")),
  badFrame("opcode", "a reserved opcode: 1002", frame(0x83, "4a")),
  badFrame("mask", "a frame without a mask: 1002", frame(0x81, "4a", { mask: false })),
  badFrame("utf8", "text that is no UTF-8: 1007", frame(0x81, [0x34, 0xff])),
  badFrame("continuation", "a continuation of nothing: 1002", frame(0x80, "4a")),
  badFrame("control", "a fragmented control frame: 1002", frame(0x09, "a")),
  badFrame("close-code", "a close code that no side may send: 1002", frame(0x88, [0x03, 0xed])),
  badFrame("close-length", "a close frame of one byte: 1002", frame(0x88, [0x03])),
  bare("eio-ws-close-codes", "the close of a client is answered with its own code", async (ctx) => {
    for (const code of [1000, 1001, 3000, 4999]) {
      const link = await ctx.websocket();
      await link.next();
      link.close(code);
      await link.closed;
      await ctx.log("disconnect");
    }
  }),
];

const UPGRADES = [
  candidate("commit-only", "an upgrade packet without a probe before it counts", async (link, ctx, session) => {
    link.send("5");
    await ctx.log("upgrade");
    link.send("4a");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  candidate("probe-twice", "every probe is answered", async (link, ctx) => {
    for (let i = 0; i < 2; i++) {
      link.send("2probe");
      await link.next();
    }
    link.close();
    await sleep(20);
  }),
  candidate("bare-ping", "a ping that is no probe closes the link", async (link) => {
    link.send("2");
    await link.closed;
  }),
  candidate("binary", "bytes close the link", async (link) => {
    link.send(Buffer.from([1, 2]));
    await link.closed;
  }),
  candidate("undecodable", "so does what is no packet", async (link) => {
    link.send("abc");
    await link.closed;
  }),
  candidate("message-after-probe", "so does a message behind the probe", async (link) => {
    link.send("2probe");
    await link.next();
    link.send("4early");
    await link.closed;
  }),
  candidate("lost", "a candidate that closes, before its probe and behind it, leaves the session as it is", async (link, ctx, session) => {
    link.close();
    await link.closed;
    const second = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    second.send("2probe");
    await second.next();
    second.abort();
    await sleep(20);
    const third = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    third.send("2probe");
    await third.next();
    third.close();
    await third.closed;
  }),
  candidate("two-candidates", "a second candidate is closed while the first is looked at", async (link, ctx, session) => {
    const second = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    await second.closed;
    link.send("2probe");
    await link.next();
    link.close();
    await sleep(20);
  }),
  candidate("timeout-unprobed", "a candidate that says nothing is closed after upgradeTimeout", async (link) => {
    await link.closed;
  }, { options: { upgradeTimeout: 300 } }),
  bare("eio-upgrade-session-ends", "the session ends while a candidate is looked at: so does the candidate", async (ctx) => {
    const session = await ctx.polling();
    const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    link.send("2probe");
    await link.next();
    await session.post("1");
    await link.closed;
    await session.poll();
  }),
  bare("eio-upgrade-closing", "a session that waits to close upgrades, sends the rest and closes", async (ctx) => {
    const session = await ctx.polling();
    const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    link.send("2probe");
    await link.next();
    await session.post("4a\x1e4close-me");
    link.send("5");
    await link.closed;
  }),
  bare("eio-upgrade-noops", "while a candidate is looked at, each poll that waits is released", async (ctx) => {
    const session = await ctx.polling();
    const link = await ctx.websocket(`${DIRECT}&sid=${session.sid}`);
    link.send("2probe");
    await link.next();
    for (let i = 0; i < 3; i++) await session.poll();
    link.send("5");
    await ctx.log("upgrade");
    link.close();
    await ctx.log("disconnect");
  }),
];

export const EDGES = [...REQUESTS, ...LINKS, ...UPGRADES];
