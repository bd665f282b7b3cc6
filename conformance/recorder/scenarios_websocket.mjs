// Engine.IO 4 over WebSocket, and the upgrade to it. Bare frames, and the official client where its own way matters.

import { sleep } from "./session_context.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, mode: "engineio", client: "bare HTTP and ws", run, ...more };
}

function official(name, about, run, more = {}) {
  return { name, about, mode: "engineio", client: "engine.io-client", run, ...more };
}

const HEARTBEAT = { options: { pingInterval: 300, pingTimeout: 200 } };

/** Open the link of an upgrade up to `3probe`. */
async function probed(ctx, session) {
  const link = await ctx.websocket(`EIO=4&transport=websocket&sid=${session.sid}`);
  link.send("2probe");
  await link.next();
  return link;
}

async function upgraded(ctx) {
  const session = await ctx.polling();
  const poll = session.poll();
  const link = await probed(ctx, session);
  await poll;
  link.send("5");
  await ctx.log("upgrade");
  return { session, link };
}

export const WEBSOCKET = [
  bare("eio-ws-echo", "a direct WebSocket: open packet, then text there and back, the empty one too", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    for (const text of ["hello", "", "h\u00e9llo \u20ac \ud83d\ude00"]) {
      link.send(`4${text}`);
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-ws-binary", "binary messages are bare binary frames", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    for (const bytes of [Buffer.from([1, 2, 3, 4]), Buffer.alloc(0), Buffer.alloc(300, 7)]) {
      link.send(bytes);
      await link.next();
    }
    link.close(1000);
    await ctx.log("disconnect");
  }),
  bare("eio-ws-large", "messages whose frames need each of the three length forms", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    for (const size of [124, 125, 65535]) {
      link.send(`4${"x".repeat(size)}`);
      await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-ws-control", "WebSocket's own ping is answered in place, a fragmented message is one message", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.socket.ping("are you there");
    await sleep(20);
    link.socket.send("4one", { fin: false });
    link.socket.ping("between");
    link.socket.send(" message", { fin: true });
    await link.next();
    link.close(1001);
    await ctx.log("disconnect");
  }),
  bare(
    "eio-heartbeat-ws",
    "pings and pongs over WebSocket",
    async (ctx) => {
      const link = await ctx.websocket();
      await link.next();
      for (let i = 0; i < 3; i++) {
        await link.next();
        link.send("3");
      }
      link.close();
      await ctx.log("disconnect");
    },
    HEARTBEAT,
  ),
  bare(
    "eio-ping-timeout-ws",
    "a ping without a pong closes the link",
    async (ctx) => {
      const link = await ctx.websocket();
      await link.next();
      await link.closed;
    },
    HEARTBEAT,
  ),
  bare("eio-server-close-ws", "the server closes: a close frame without a code, no close packet", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send("4close-me");
    await link.closed;
  }),
  bare("eio-abrupt-close-ws", "a connection that ends without a close frame", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.abort();
    await ctx.log("disconnect");
  }),
  bare("eio-close-packet-ws", "a close packet over WebSocket is ignored: the peer is to close the link", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send("1");
    link.send("4still here");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-invalid-packet-ws", "an undecodable packet closes the link", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send("4a");
    await link.next();
    link.send("abc");
    await link.closed;
  }),
  bare("eio-empty-frame-ws", "an empty text frame is an undecodable packet", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send("");
    await link.closed;
  }),
  bare("eio-ping-from-client-ws", "a ping sent by the client goes the wrong way", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send("2");
    await link.closed;
  }),
  bare(
    "eio-ws-too-large",
    "a message over the limit closes the link with 1009; one of exactly the limit is taken",
    async (ctx) => {
      const link = await ctx.websocket();
      await link.next();
      link.send(`4${"y".repeat(99)}`);
      await link.next();
      link.send(`4${"x".repeat(100)}`);
      await link.closed;
    },
    { options: { maxHttpBufferSize: 100 } },
  ),
  bare("eio-upgrade", "probe, noop for the waiting poll, upgrade; polling is over then", async (ctx) => {
    const { session, link } = await upgraded(ctx);
    link.send("4hello");
    await link.next();
    await session.poll(); // a transport mismatch
    await session.post("4a");
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-upgrade-buffered", "what was buffered for a poll goes out on the new link", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    const link = await probed(ctx, session);
    await poll;
    await session.post("4one\x1e4two");
    link.send("5");
    await link.next();
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-upgrade-while-polling", "until the upgrade packet, messages still go out by a waiting poll", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    const link = await ctx.websocket(`EIO=4&transport=websocket&sid=${session.sid}`);
    await session.post("4a");
    await poll;
    const second = session.poll();
    link.send("2probe");
    await link.next();
    await second;
    link.send("5");
    await ctx.log("upgrade");
    link.send("4b");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-upgrade-pending-poll", "a poll that still waits at the upgrade packet is answered by a close packet", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    const link = await probed(ctx, session);
    link.send("5");
    await poll;
    await ctx.log("upgrade");
    link.send("4b");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-second-upgrade", "a further link for an upgraded session is closed, the session goes on", async (ctx) => {
    const { session, link } = await upgraded(ctx);
    const second = await ctx.websocket(`EIO=4&transport=websocket&sid=${session.sid}`);
    await second.closed;
    link.send("4hello");
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("eio-upgrade-wrong-packet", "a first packet that is no probe closes the link, the session stays on polling", async (ctx) => {
    const session = await ctx.polling();
    const link = await ctx.websocket(`EIO=4&transport=websocket&sid=${session.sid}`);
    link.send("4hello");
    await link.closed;
    await session.post("4still here");
    await session.poll();
  }),
  bare(
    "eio-upgrade-timeout",
    "a probed link without an upgrade packet is closed, the session stays on polling",
    async (ctx) => {
      const session = await ctx.polling();
      const link = await probed(ctx, session);
      await link.closed;
      await session.post("4still here");
      await session.poll();
    },
    { options: { upgradeTimeout: 300 } },
  ),
  bare(
    "eio-upgrade-not-offered",
    "allowUpgrades false empties the offer",
    async (ctx) => {
      const session = await ctx.polling();
      await session.post("4a");
      await session.poll();
    },
    { options: { allowUpgrades: false } },
  ),
  bare(
    "eio-heartbeat-upgraded",
    "the ping that follows an upgrade comes on the link and its pong keeps the session",
    async (ctx) => {
      const { link } = await upgraded(ctx);
      for (let i = 0; i < 2; i++) {
        await link.next();
        link.send("3");
      }
      link.close();
      await ctx.log("disconnect");
    },
    HEARTBEAT,
  ),
  official("eio-official-polling", "engine.io-client on polling: text, binary, its own close", async (ctx) => {
    const { client, next } = await ctx.engine({ transports: ["polling"] });
    client.send("hello");
    await next();
    client.send(Buffer.from([1, 2, 3, 4]));
    await next();
    await sleep(50); // the poll after the last answer is there
    client.close();
    await ctx.log("disconnect");
  }),
  official("eio-official-websocket", "engine.io-client on WebSocket: text, binary, its own close", async (ctx) => {
    const { client, next } = await ctx.engine({ transports: ["websocket"] });
    client.send("hello");
    await next();
    client.send(Buffer.from([1, 2, 3, 4]));
    await next();
    client.close();
    await ctx.log("disconnect");
  }),
  official("eio-official-upgrade", "engine.io-client upgrades by itself, messages before and after", async (ctx) => {
    const { client, next } = await ctx.engine();
    const upgrade = ctx.event(client, "upgrade");
    client.send("before");
    await next();
    await upgrade;
    await ctx.log("upgrade");
    client.send("after");
    await next();
    client.close();
    await ctx.log("disconnect");
  }),
];
