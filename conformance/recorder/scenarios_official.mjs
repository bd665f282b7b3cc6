// What scenarios with the official Socket.IO client share.

import { sleep, within } from "./session_context.mjs";

export const ws = { transports: ["websocket"] };
export const polling = { transports: ["polling"] };

export function official(name, about, run, more = {}) {
  return { name, about, client: "socket.io-client", run, ...more };
}

/** The answer to an event that asks for an acknowledgement. */
export function ask(socket, ...args) {
  const answered = new Promise((resolve) => socket.emit(...args, (...answer) => resolve(answer)));
  return within(answered, `the answer to ${args[0]}`);
}

// Rooms begin with "~": the target answers with sorted rooms, and an id, which is one of them, never sorts behind it.
export async function member(ctx, ...rooms) {
  const socket = await ctx.socket("/", ws);
  for (const room of rooms) await ask(socket, "join", room);
  return socket;
}

/** Leave with each socket in turn, each seen by the server before the next. */
export async function leave(ctx, ...sockets) {
  await sleep(50);
  for (const socket of sockets) {
    socket.disconnect();
    await ctx.log("disconnect");
  }
}
