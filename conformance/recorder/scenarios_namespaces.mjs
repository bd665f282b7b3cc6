// Socket.IO 5 with the official client: namespaces, events, acknowledgements, binary, rooms, disconnects.

import { sleep } from "./session_context.mjs";
import { ask, member, official, polling, ws } from "./scenarios_official.mjs";

export const NAMESPACES = [
  official("sio-connect-polling", "connect to the main namespace with auth, an event there and back, over polling", async (ctx) => {
    const socket = await ctx.socket("/", { ...polling, auth: { token: "123" } });
    socket.emit("message", 1, "2", { 3: [true] });
    await ctx.event(socket, "message-back");
    await sleep(50);
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-connect-websocket", "connect to the main namespace with auth, an event there and back, over WebSocket", async (ctx) => {
    const socket = await ctx.socket("/", { ...ws, auth: { token: "123" } });
    socket.emit("message", 1, "2", { 3: [true] });
    await ctx.event(socket, "message-back");
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-connect-upgrade", "the default way: polling first, then the upgrade, then an event", async (ctx) => {
    const manager = ctx.manager();
    const socket = manager.socket("/");
    let upgrade;
    manager.once("open", () => (upgrade = ctx.event(manager.engine, "upgrade")));
    socket.connect();
    await ctx.event(socket, "connect");
    await upgrade;
    await sleep(50);
    socket.emit("echo", "after");
    await ctx.event(socket, "echo");
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-connect-custom", "a custom namespace on the same connection, each with its own auth", async (ctx) => {
    const manager = ctx.manager(ws);
    const main = await ctx.socket("/", { manager, auth: { for: "main" } });
    const custom = await ctx.socket("/custom", { manager, auth: { for: "custom" } });
    custom.emit("echo", "custom");
    await ctx.event(custom, "echo");
    main.emit("echo", "main");
    await ctx.event(main, "echo");
    custom.disconnect();
    await ctx.log("disconnect");
    main.emit("echo", "still here");
    await ctx.event(main, "echo");
    main.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-refusal", "a middleware refuses with a message and data, then lets the same client in", async (ctx) => {
    const manager = ctx.manager(ws);
    const refused = manager.socket("/auth", { auth: { token: "wrong" } });
    refused.connect();
    await ctx.event(refused, "connect_error");
    refused.auth = { token: "ok" };
    refused.connect();
    await ctx.event(refused, "connect");
    await ask(refused, "echo", "in");
    refused.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-invalid-namespace", "a namespace that does not exist; the connection stays for others", async (ctx) => {
    const manager = ctx.manager(ws);
    const main = await ctx.socket("/", { manager });
    const nowhere = manager.socket("/nowhere");
    nowhere.connect();
    await ctx.event(nowhere, "connect_error");
    await ask(main, "echo", "still here");
    main.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-middlewares", "namespace and packet middlewares: data set, an event rejected", async (ctx) => {
    const socket = await ctx.socket("/mw", ws);
    socket.emit("forbidden", 1);
    await ctx.event(socket, "mw-error");
    await ask(socket, "echo", "allowed");
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-ack-to-client", "the server acknowledges: no argument, one, several", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    await ask(socket, "message-with-ack");
    await ask(socket, "message-with-ack", "one");
    await ask(socket, "message-with-ack", 1, null, { a: [] });
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-ack-to-server", "the server asks and the client acknowledges, with several values", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    socket.on("question", (a, b, ack) => ack(a + b, "sum"));
    await ask(socket, "ask", 1000, "question", [40, 2]);
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-ack-timeout", "the server asks a client that never acknowledges", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    await ask(socket, "ask", 200, "question", [1]);
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-ack-custom-polling", "acknowledgements both ways in a custom namespace over polling", async (ctx) => {
    const socket = await ctx.socket("/custom", polling);
    socket.on("question", (ack) => ack("answer"));
    await ask(socket, "ask", 1000, "question", []);
    await ask(socket, "message-with-ack", "one");
    await sleep(50);
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-binary-event", "events with bytes, alone, nested and several, over WebSocket", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    for (const args of [
      [Buffer.from([1, 2, 3])],
      [{ a: [Buffer.from([4])], b: "text" }, Buffer.alloc(0)],
    ]) {
      socket.emit("message", ...args);
      await ctx.event(socket, "message-back");
    }
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-binary-polling", "an event and an acknowledgement with bytes over polling, custom namespace", async (ctx) => {
    const socket = await ctx.socket("/custom", polling);
    socket.emit("message", Buffer.from([1, 2, 3]), "text");
    await ctx.event(socket, "message-back");
    await ask(socket, "message-with-ack", Buffer.from([4, 5]));
    await sleep(50);
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-binary-ack", "acknowledgements with bytes, both ways", async (ctx) => {
    const socket = await ctx.socket("/", ws);
    await ask(socket, "message-with-ack", Buffer.from([1]), { b: Buffer.from([2, 3]) });
    socket.on("question", (bytes, ack) => ack({ back: bytes }));
    await ask(socket, "ask", 1000, "question", [Buffer.from([9])]);
    socket.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-rooms", "join, emit to a room with and without the sender, except, leave", async (ctx) => {
    const a = await member(ctx, "~red");
    const b = await member(ctx, "~red");
    await ask(a, "join", "~blue");
    const got = ctx.event(b, "to-red");
    a.emit("to", ["~red"], [], "to-red", 1);
    await got;
    for (const [rooms, except] of [
      [["~red", "~blue"], []],
      [["~red"], ["~blue"]],
    ]) {
      const last = ctx.event(b, "all");
      b.emit("nsp-to", rooms, except, "all", rooms, except);
      await last;
      await sleep(20);
    }
    await ask(b, "leave", "~red");
    const only = ctx.event(a, "left");
    a.emit("nsp-to", ["~red"], [], "left", 2);
    await only;
    await sleep(20);
    a.disconnect();
    await ctx.log("disconnect");
    b.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-broadcast", "broadcast to the others, emit to everyone, with text and with bytes", async (ctx) => {
    const a = await ctx.socket("/", ws);
    const b = await ctx.socket("/", polling);
    await sleep(50);
    for (const [event, value] of [
      ["broadcast", "text"],
      ["emit-all", "text"],
      ["emit-all", Buffer.from([1, 2])],
    ]) {
      const got = ctx.event(b, "news");
      a.emit(event, "news", value);
      await got;
      await sleep(50);
    }
    a.disconnect();
    await ctx.log("disconnect");
    b.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-room-ack", "a room is asked; one member answers in time, one never", async (ctx) => {
    const a = await member(ctx, "~red");
    const b = await member(ctx, "~red");
    a.on("question", (ack) => ack("a"));
    await ask(a, "ask-room", ["~red"], 200, "question", []);
    b.on("question", (ack) => setTimeout(() => ack("b"), 50));
    await ask(a, "ask-room", ["~red"], 1000, "question", []);
    a.disconnect();
    await ctx.log("disconnect");
    b.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-management", "sockets of a room are moved and disconnected by the server", async (ctx) => {
    const a = await member(ctx, "~red");
    const b = await member(ctx, "~red");
    await ask(a, "sockets-join", ["~red"], "~blue");
    await ask(a, "sockets-leave", ["~blue"], "~red");
    await ask(b, "join", "~b");
    a.emit("disconnect-sockets", ["~b"], false);
    await ctx.event(b, "disconnect");
    await ask(a, "fetch-sockets", []);
    a.emit("disconnect-sockets", [], true);
    await ctx.event(a, "disconnect");
    await sleep(50);
  }),
  official("sio-client-disconnect", "the client leaves two namespaces one after the other, over polling", async (ctx) => {
    const manager = ctx.manager(polling);
    const main = await ctx.socket("/", { manager });
    const custom = await ctx.socket("/custom", { manager });
    await sleep(50);
    main.disconnect();
    await ctx.log("disconnect");
    await ask(custom, "echo", "still here");
    await sleep(50);
    custom.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-client-close", "the client's connection closes under two namespaces", async (ctx) => {
    const manager = ctx.manager(ws);
    await ctx.socket("/", { manager });
    await ctx.socket("/custom", { manager });
    manager.engine.close();
    await ctx.log("disconnect");
    await ctx.log("disconnect");
  }),
  official("sio-server-disconnect", "the server takes one namespace away, the connection stays", async (ctx) => {
    const manager = ctx.manager(ws);
    const main = await ctx.socket("/", { manager });
    const custom = await ctx.socket("/custom", { manager });
    const gone = ctx.event(custom, "disconnect");
    custom.emit("disconnect-me", false);
    await gone;
    await ask(main, "echo", "still here");
    main.disconnect();
    await ctx.log("disconnect");
  }),
  official("sio-server-close", "the server disconnects a socket with its connection: every namespace is told", async (ctx) => {
    const manager = ctx.manager(ws);
    const main = await ctx.socket("/", { manager });
    const custom = await ctx.socket("/custom", { manager });
    const gone = ctx.event(custom, "disconnect");
    main.emit("disconnect-me", true);
    await gone;
    await sleep(50);
  }),
  official("sio-shutdown", "the server shuts down under a client on each transport", async (ctx) => {
    const manager = ctx.manager(ws);
    const a = await ctx.socket("/", { manager });
    await ask(a, "join", "~red");
    await ctx.socket("/custom", { manager });
    const b = await ctx.socket("/", polling);
    await sleep(50);
    const gone = [ctx.event(a, "disconnect"), ctx.event(b, "disconnect")];
    a.emit("shutdown");
    await Promise.all(gone);
  }),
];
