// Socket.IO 5 spoken badly, by bare frames: what closes the connection, what is ignored, what is only refused.

import { sleep } from "./session_context.mjs";

function bare(name, about, run, more = {}) {
  return { name, about, client: "bare HTTP and ws", run, ...more };
}

/** A link that is connected to `/`: open packet, CONNECT's answer and the `auth` event read. */
async function connected(ctx) {
  const link = await ctx.websocket();
  await link.next();
  link.send("40");
  await link.next();
  await link.next();
  return link;
}

/** One bad packet on a connected link closes it. */
function closing(name, about, ...packets) {
  return bare(name, about, async (ctx) => {
    const link = await connected(ctx);
    for (const packet of packets) link.send(packet);
    await link.closed;
  });
}

export const VIOLATIONS = [
  bare("sio-event-before-connect", "an event before CONNECT closes the connection", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send('42["message","a"]');
    await link.closed;
  }),
  bare("sio-event-before-connect-polling", "the same over polling, with a poll waiting", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    await sleep(20);
    await session.post('42["message","a"]');
    await poll;
    await session.poll();
  }),
  bare("sio-event-to-other-namespace", "an event for a namespace that is not joined closes the connection", async (ctx) => {
    const link = await connected(ctx);
    link.send('42/custom,["message","a"]');
    await link.closed;
  }),
  closing("sio-second-connect", "CONNECT for a namespace that is joined closes the connection", "40"),
  closing("sio-unknown-type", "an unknown packet type", "49abc"),
  closing("sio-connect-error-from-client", "a CONNECT_ERROR from a client", '44["a"]'),
  closing("sio-invalid-payload", "an event that is no array", "42{}"),
  closing("sio-invalid-json", "an event whose JSON is cut off", '42["message"'),
  closing("sio-empty-event", "an event without a name", "42[]"),
  closing("sio-reserved-event", "an event with a reserved name", '42["disconnect","transport close"]'),
  closing("sio-invalid-ack-id", "an acknowledgement whose id is no number", '42abc["message-with-ack","a"]'),
  closing("sio-zero-attachments", "a binary event without attachments", '450-["message"]'),
  closing("sio-illegal-attachments", "a binary event whose count is no number", '45x-["message"]'),
  closing(
    "sio-too-many-attachments",
    "a binary event that announces more attachments than allowed",
    `4511-["message",${Array.from({ length: 11 }, (_, num) => JSON.stringify({ _placeholder: true, num })).join(",")}]`,
  ),
  closing(
    "sio-text-for-attachment",
    "text where an attachment is due",
    '451-["message",{"_placeholder":true,"num":0}]',
    '42["message","a"]',
  ),
  closing("sio-unexpected-binary", "bytes where no attachment is due", Buffer.from([1, 2, 3])),
  closing("sio-empty-message", "a message of no characters", "4"),
  closing("sio-disconnect-data", "a DISCONNECT with data", '41["a"]'),
  closing("sio-ack-data", "an acknowledgement that is no list", "430{}"),
  closing("sio-disconnect-other-namespace", "leaving a namespace that is not joined", "41/custom,"),
  closing("sio-ack-other-namespace", "an acknowledgement for one", '43/custom,0["x"]'),
  closing("sio-namespace-no-comma", "a namespace is all up to the comma, or the end", '42/custom["message"]'),
  closing("sio-illegal-placeholder", "a placeholder for an attachment that there is none of", '451-["message",{"_placeholder":true,"num":1}]', Buffer.from([1])),
  closing("sio-placeholder-no-number", "a placeholder without a number", '451-["message",{"_placeholder":true,"num":"0"}]', Buffer.from([1])),
  closing("sio-attachments-cut", "a binary event inside another", '452-["message",{"_placeholder":true,"num":0}]', Buffer.from([1]), "41"),
  bare("sio-connect-data", "a CONNECT whose data is a list", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send('40["a"]');
    await link.closed;
  }),
  bare("sio-event-odd-names", "events without data, and with a number for a name, reach nobody", async (ctx) => {
    const link = await connected(ctx);
    for (const packet of ["42", "425", '42[1,"x"]']) link.send(packet);
    link.send('42["message","still here"]');
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio-attachments-forms", "ten attachments; one that nothing stands for; one that stands twice; one deep inside", async (ctx) => {
    const link = await connected(ctx);
    const place = (num) => ({ _placeholder: true, num });
    for (const [count, args] of [
      [10, [...Array(10).keys()].map(place)], [1, ["text"]], [1, [place(0), place(0)]], [2, [{ a: [{ b: place(1) }] }, place(0)]],
    ]) {
      link.send(`45${count}-${JSON.stringify(["message", ...args])}`);
      for (let i = 0; i < count; i++) link.send(Buffer.from([i]));
      const first = await link.next();
      for (let i = Number(/^45(\d+)-/.exec(first)?.[1] ?? 0); i > 0; i--) await link.next();
    }
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio-connect-and-event", "an event right behind CONNECT, which is not answered yet", async (ctx) => {
    const session = await ctx.polling();
    const poll = session.poll();
    await sleep(20);
    await session.post('40\x1e42["message","a"]');
    await poll;
    await sleep(50);
  }),
  bare("sio-attachments-lost", "a connection that ends inside a binary event: nobody hears of it", async (ctx) => {
    const link = await connected(ctx);
    link.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    link.send(Buffer.from([1]));
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio-unknown-ack", "an acknowledgement that nobody waits for is ignored", async (ctx) => {
    const link = await connected(ctx);
    link.send('43123["nobody asked"]');
    link.send('42["message","still here"]');
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio-lifecycle-names", "events named like the server's own lifecycle reach nobody", async (ctx) => {
    const link = await connected(ctx);
    for (const name of ["connection", "new_namespace", "error"]) link.send(`42["${name}","x"]`);
    link.send('42["message","still here"]');
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio-event-after-disconnect", "an event after the namespace was left closes the connection", async (ctx) => {
    const link = await connected(ctx);
    link.send("41");
    await ctx.log("disconnect");
    link.send('42["message","a"]');
    await link.closed;
  }),
  bare("sio-rejoin", "a namespace that was left may be joined again, with a new id", async (ctx) => {
    const link = await connected(ctx);
    link.send("41");
    await ctx.log("disconnect");
    link.send("40");
    await link.next();
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare("sio-namespace-forms", "CONNECT for a namespace without its comma, with a query, with another case", async (ctx) => {
    const link = await ctx.websocket();
    await link.next();
    link.send("40/custom");
    await link.next();
    await link.next();
    for (const name of ["/custom?a=b", "/Custom", "/custom/"]) {
      link.send(`40${name},`);
      await link.next();
    }
    link.send('42/custom,["message","a"]');
    await link.next();
    link.close();
    await ctx.log("disconnect");
  }),
  bare(
    "sio-connect-timeout",
    "a client that joins no namespace is closed",
    async (ctx) => {
      const link = await ctx.websocket();
      await link.next();
      await link.closed;
    },
    { options: { connectTimeout: 300 } },
  ),
  bare(
    "sio-connect-timeout-polling",
    "the same over polling, with a poll waiting",
    async (ctx) => {
      const session = await ctx.polling();
      await session.poll();
      await session.poll();
    },
    { options: { connectTimeout: 300 } },
  ),
  bare(
    "sio-connect-timeout-refused",
    "a refusal does not stop the deadline",
    async (ctx) => {
      const link = await ctx.websocket();
      await link.next();
      link.send('40/auth,{"token":"wrong"}');
      await link.next();
      await link.closed;
    },
    { options: { connectTimeout: 300 } },
  ),
  bare(
    "sio-heartbeat",
    "pings and pongs below a namespace; silence ends both",
    async (ctx) => {
      const link = await connected(ctx);
      await link.next();
      link.send("3");
      await link.next();
      await link.closed;
    },
    { options: { pingInterval: 300, pingTimeout: 200 } },
  ),
];
