// Engine.IO 4 over HTTP long-polling: sessions that live there, and every way they end. Bare HTTP.

import { sleep } from "./session_context.mjs";

const S = "\x1e";
const answered = (body) => (line) => line.response?.body === body;

/** A scenario of the echo server, spoken by bare bytes. */
function bare(name, about, run, more = {}) {
  return { name, about, mode: "engineio", client: "bare HTTP", run, ...more };
}

export const POLLING = [
  bare("eio-polling-echo", "handshake, then a text message there and back, twice", async (ctx) => {
    const session = await ctx.polling();
    for (const text of ["hello", "h\u00e9llo \u20ac \ud83d\ude00"]) {
      const poll = session.poll();
      await session.post(`4${text}`);
      await poll;
    }
  }),
  bare("eio-polling-binary", "binary messages travel as base64, with and without padding", async (ctx) => {
    const session = await ctx.polling();
    for (const packet of ["bAQIDBA==", "bAQID"]) {
      const poll = session.poll();
      await session.post(packet);
      await poll;
    }
  }),
  bare("eio-polling-payload", "several packets in one payload, in both directions", async (ctx) => {
    const session = await ctx.polling();
    await session.post(["4a", "bAQIDBA==", "4", "4b"].join(S));
    await session.poll();
  }),
  bare("eio-polling-buffered", "messages that arrive while no poll waits are kept for the next one", async (ctx) => {
    const session = await ctx.polling();
    for (const text of ["one", "two", "three"]) await session.post(`4${text}`);
    await session.poll();
  }),
  bare(
    "eio-cookie",
    "the cookie option sets the session id on the handshake's response only",
    async (ctx) => {
      const session = await ctx.polling();
      await session.post("4a");
      await session.poll();
    },
    { options: { cookie: true } },
  ),
  bare(
    "eio-heartbeat-polling",
    "the server pings every interval, the client's pongs keep the session; it then closes",
    async (ctx) => {
      const session = await ctx.polling();
      for (let i = 0; i < 3; i++) {
        await session.poll();
        await session.post("3");
      }
      const poll = session.poll();
      await session.post("1");
      await poll;
      await ctx.log("disconnect");
    },
    { options: { pingInterval: 300, pingTimeout: 200 } },
  ),
  bare(
    "eio-ping-timeout-polling",
    "a ping without a pong ends the session; the waiting poll is answered by a close packet",
    async (ctx) => {
      const session = await ctx.polling();
      await session.poll();
      await session.poll();
      await session.poll();
    },
    { options: { pingInterval: 300, pingTimeout: 200 }, exact: answered("1") },
  ),
  bare(
    "eio-ping-timeout-polling-silent",
    "the deadline runs although no poll took the ping away",
    async (ctx) => {
      const session = await ctx.polling();
      await ctx.log("disconnect");
      await session.poll();
    },
    { options: { pingInterval: 300, pingTimeout: 200 } },
  ),
  bare(
    "eio-client-close-polling",
    "a close packet in a POST: the waiting poll gets a noop, what follows in the payload is dropped",
    async (ctx) => {
      const session = await ctx.polling();
      const poll = session.poll();
      await sleep(20);
      await session.post(["1", "4late"].join(S));
      await poll;
      await session.poll();
    },
  ),
  bare(
    "eio-server-close-polling-pending",
    "the server closes while a poll waits",
    async (ctx) => {
      const session = await ctx.polling();
      const poll = session.poll();
      await sleep(20);
      await session.post("4close-me");
      await poll;
      await session.poll();
    },
    { exact: answered("1") },
  ),
  bare(
    "eio-server-close-polling-idle",
    "the server closes while no poll waits: the next one brings a noop and the close packet",
    async (ctx) => {
      const session = await ctx.polling();
      await session.post("4close-me");
      await sleep(20);
      await session.poll();
      await session.poll();
    },
    { exact: answered(["6", "1"].join(S)) },
  ),
  bare(
    "eio-server-close-polling-buffered",
    "the server closes with messages buffered: they go out first",
    async (ctx) => {
      const session = await ctx.polling();
      await session.post(["4a", "4b", "4close-me"].join(S));
      await sleep(20);
      await session.poll();
      await session.poll();
      await session.poll();
    },
  ),
  bare("eio-invalid-packet-polling", "an undecodable packet closes the session, the one before it counts", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    await sleep(20);
    await session.post(["4a", "abc", "4b"].join(S));
    await poll;
    await session.poll();
  }),
  bare("eio-empty-post", "an empty body is an undecodable packet", async (ctx) => {
    const session = await ctx.polling();
    await session.post("");
    await sleep(20);
    await session.poll();
    await session.poll();
  }),
  bare("eio-trailing-separator", "a payload that ends in the separator has an empty last packet: parse error", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    await sleep(20);
    await session.post(`4a${S}`);
    await poll;
    await session.poll();
  }),
  bare("eio-ping-from-client-polling", "a ping sent by the client goes the wrong way", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    await sleep(20);
    await session.post("2");
    await poll;
    await session.poll();
  }),
  bare("eio-overlapping-polls", "a second poll while one waits closes the session", async (ctx) => {
    const session = await ctx.polling();
    const first = session.poll();
    await sleep(20);
    await session.poll();
    await first;
    await session.poll();
  }),
  bare("eio-aborted-poll", "a client that drops its waiting poll has lost its session", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    await sleep(20);
    poll.abort();
    await ctx.log("disconnect");
    await session.poll();
  }),
  bare("eio-aborted-post", "a client that drops a POST half way has lost its session", async (ctx) => {
    const session = await ctx.polling();
    const post = session.post("4hal", { length: 100 });
    await sleep(20);
    post.abort();
    await ctx.log("disconnect");
    await session.poll();
  }),
  bare("eio-overlapping-posts", "a second POST while one is arriving closes the session", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    const first = session.post("4hal", { length: 100 });
    await sleep(20);
    await session.post("4b");
    await Promise.all([first, poll]);
    await session.poll();
  }),
  bare(
    "eio-post-too-large",
    "a body over the limit is refused and the session lives on; one of exactly the limit is taken",
    async (ctx) => {
      const session = await ctx.polling();
      await session.post(`4${"x".repeat(100)}`);
      await session.post(`4${"y".repeat(99)}`);
      await session.poll();
    },
    { options: { maxHttpBufferSize: 100 } },
  ),
  bare("eio-octet-stream-post", "an octet-stream body is invalid content in protocol 4", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    await sleep(20);
    await session.post("4a", { headers: { "content-type": "application/octet-stream" } });
    await poll;
    await session.poll();
  }),
  bare("eio-other-methods", "methods that no transport has, on a live session", async (ctx) => {
    const session = await ctx.polling();
    for (const method of ["PUT", "DELETE", "OPTIONS"]) await ctx.request(method, session.target);
    await session.post("4still here");
    await session.poll();
  }),
  bare("eio-unknown-transport", "code 0: no transport, an unknown one, one that is no table's own key", async (ctx) => {
    await ctx.get("EIO=4");
    for (const transport of ["abc", "constructor", "__proto__"]) await ctx.get(`EIO=4&transport=${transport}`);
    await ctx.websocket("EIO=4&transport=abc");
    await ctx.request("POST", "/engine.io/?EIO=4&transport=abc", { body: "4a" });
  }),
  bare("eio-unknown-sid", "code 1: a session that does not exist, by poll, POST and WebSocket", async (ctx) => {
    await ctx.get("EIO=4&transport=polling&sid=nobody");
    await ctx.request("POST", "/engine.io/?EIO=4&transport=polling&sid=nobody", { body: "4a" });
    await ctx.websocket("EIO=4&transport=websocket&sid=nobody");
  }),
  bare("eio-bad-handshake-method", "code 2: a handshake by another method than GET", async (ctx) => {
    for (const method of ["POST", "PUT", "OPTIONS"]) {
      await ctx.request(method, "/engine.io/?EIO=4&transport=polling");
    }
  }),
  bare("eio-bad-request", "code 3: a WebSocket handshake that is no upgrade", async (ctx) => {
    await ctx.get("EIO=4&transport=websocket");
  }),
  bare("eio-protocol-mismatch", "code 3: a request that names another protocol than its session's", async (ctx) => {
    const session = await ctx.polling();
    await ctx.get(`EIO=3&transport=polling&sid=${session.sid}`);
    await ctx.get(`transport=polling&sid=${session.sid}`);
    await ctx.websocket(`EIO=3&transport=websocket&sid=${session.sid}`);
    await session.post("4still here");
    await session.poll();
  }),
  bare("eio-unsupported-protocol", "code 5: another protocol than 4, on polling", async (ctx) => {
    await ctx.get("EIO=3&transport=polling");
    await ctx.get("transport=polling");
    await ctx.get("EIO=abc&transport=polling");
  }),
  bare("eio-other-path", "what is outside the path is not the engine's", async (ctx) => {
    await ctx.request("GET", "/");
    await ctx.request("GET", "/engine.io?EIO=4&transport=polling");
    await ctx.request("GET", "/other/?EIO=4&transport=polling");
    await ctx.request("GET", "/engine.io/deeper/?EIO=4&transport=polling");
  }),
  bare("eio-query-duplicates", "of a repeated key the last value counts, and values are percent-decoded", async (ctx) => {
    await ctx.get("EIO=4&transport=abc&transport=polling");
    await ctx.get("EIO=4&transport=poll%69ng&sid=");
    await ctx.get("EIO=4&transport=polling&transport=abc");
  }),
];
