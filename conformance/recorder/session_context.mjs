// What a scenario works with: a fresh server process behind a recording proxy, and clients that go through it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gunzipSync, inflateSync } from "node:zlib";
import { Socket as EngineClient } from "engine.io-client";
import { Manager } from "socket.io-client";
import { WebSocket } from "ws";
import { RecordingProxy } from "./session_proxy.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PATIENCE = 15_000; // ms that anything awaited may take, a start on a busy machine too
export const REFERENCE = `exec node ${path.join(HERE, "target.mjs")}`;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function within(promise, what) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE} ms for ${what}`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function unpacked(bytes) {
  for (const unpack of [gunzipSync, inflateSync]) {
    try {
      return unpack(bytes).toString();
    } catch {
      continue;
    }
  }
  return bytes.toString();
}

/** A value awaited one at a time: `push` from a listener, `await next()` in a scenario. */
class Queue {
  constructor(what) {
    this.what = what;
    this.values = [];
    this.waiting = [];
  }
  push(value) {
    if (this.waiting.length > 0) this.waiting.shift()(value);
    else this.values.push(value);
  }
  next() {
    if (this.values.length > 0) return Promise.resolve(this.values.shift());
    return within(new Promise((resolve) => this.waiting.push(resolve)), this.what);
  }
}

export class Context {
  constructor(scenario, command) {
    this.scenario = scenario;
    this.command = command;
    this.logs = new Queue("a log line");
    this.cleanups = [];
  }

  async start() {
    const port = await freePort();
    const { mode, options, behaviors } = this.scenario;
    const config = JSON.stringify({ port, ...(mode && { mode }), options: options ?? {}, behaviors: behaviors ?? {} });
    this.child = spawn("bash", ["-c", this.command.replaceAll("{port}", String(port))], {
      env: { ...process.env, CONFORMANCE_CONFIG: config },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.proxy = new RecordingProxy(port);
    await this.proxy.listen();
    const ready = new Queue("READY");
    createInterface({ input: this.child.stdout }).on("line", (text) => {
      if (text.startsWith("READY ")) ready.push(text);
      if (!text.startsWith("@")) return;
      const log = JSON.parse(text.slice(1));
      this.proxy.append({ from: "server", log });
      this.logs.push(log);
    });
    this.child.on("exit", (code) => ready.push(`exit ${code}`));
    const first = await ready.next();
    if (!first.startsWith("READY ")) throw new Error(`the server did not start: ${first}`);
  }

  async stop() {
    await this.proxy.quiet(80); // what is already on its way is part of the trace
    const { lines } = this.proxy;
    this.proxy.lines = []; // and what the clean-up causes is not
    for (const cleanup of this.cleanups) cleanup();
    this.proxy.close();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGKILL");
      await once(this.child, "exit");
    }
    if (this.proxy.failure) throw this.proxy.failure;
    return lines;
  }

  /** The next log line with this event; the ones before it are skipped. */
  async log(event) {
    for (;;) {
      const log = await this.logs.next();
      if (log.event === event) return log;
    }
  }

  get url() {
    return `http://127.0.0.1:${this.proxy.port}`;
  }

  get path() {
    return this.scenario.path ?? (this.scenario.mode === "engineio" ? "/engine.io/" : "/socket.io/");
  }

  /** One HTTP request on its own connection. `send: false` leaves the body open (`request.write` goes on). */
  request(method, target, { body, headers = {}, length } = {}) {
    const all = { ...headers };
    if (body !== undefined) all["content-length"] = length ?? Buffer.byteLength(body);
    const request = http.request(`${this.url}${target}`, { method, headers: all, agent: false });
    const answered = new Promise((resolve) => {
      request.on("error", () => resolve({ status: 0, body: "" }));
      request.on("response", (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("error", () => {});
        response.on("close", () => {
          const bytes = Buffer.concat(parts);
          resolve({ status: response.statusCode, headers: response.headers, bytes, body: bytes.toString() });
        });
      });
    });
    if (length === undefined) request.end(body);
    else request.write(body);
    this.cleanups.push(() => request.destroy());
    return {
      abort: () => request.destroy(),
      then: (resolve, reject) => within(answered, `the answer to ${method} ${target}`).then(resolve, reject),
    };
  }

  get(query, options) {
    return this.request("GET", `${this.path}?${query}`, options);
  }

  /**
   * A polling session: `poll()` and `post(body)`, both awaitable, `poll` also not awaited. `headers` go with the
   * handshake and with every poll.
   */
  async polling(query = "EIO=4&transport=polling", { headers } = {}) {
    const { bytes } = await this.get(query, { headers });
    const [, sid] = /"sid\\?":\\?"([^"\\]+)/.exec(unpacked(bytes));
    const target = `${this.path}?${query}&sid=${sid}`;
    return {
      sid,
      target,
      poll: (options) => this.request("GET", target, { headers, ...options }),
      post: (body, options) => {
        const headers = { "content-type": "text/plain;charset=UTF-8" };
        return this.request("POST", target, { body, headers, ...options });
      },
    };
  }

  /**
   * Bytes on a connection of their own. `await answer` gives all that came back, once the server has ended it;
   * `await received(pattern)` returns when what has come so far matches, or it has ended.
   */
  raw(bytes) {
    const socket = net.connect(this.proxy.port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    const watches = [];
    const look = () => {
      for (const { pattern, resolve } of watches) if (socket.destroyed || pattern.test(text)) resolve();
    };
    socket.on("data", (part) => {
      text += part.toString("latin1");
      look();
    });
    socket.on("error", () => {});
    this.cleanups.push(() => socket.destroy());
    const ended = new Promise((resolve) => socket.on("close", () => resolve(text)));
    ended.then(look);
    return {
      socket,
      received: (pattern) => {
        const found = new Promise((resolve) => watches.push({ pattern, resolve }));
        look();
        return within(found, `${pattern} on a raw connection`);
      },
      get answer() {
        return within(ended, "the end of a raw connection");
      },
    };
  }

  /** A bare WebSocket: `await next()` gives messages (strings, Buffers), `await closed` the close code. */
  async websocket(query = "EIO=4&transport=websocket", { protocols = [], ...more } = {}) {
    const options = { perMessageDeflate: false, ...more };
    const socket = new WebSocket(`${this.url.replace("http", "ws")}${this.path}?${query}`, protocols, options);
    const messages = new Queue("a WebSocket message");
    socket.on("message", (data, isBinary) => messages.push(isBinary ? data : data.toString()));
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.on("close", resolve));
    this.cleanups.push(() => socket.terminate());
    await Promise.race([once(socket, "open"), closed]);
    return {
      socket,
      next: () => messages.next(),
      send: (data) => socket.send(data),
      close: (code) => socket.close(code),
      abort: () => socket.terminate(),
      get closed() {
        return within(closed, "the close of a WebSocket");
      },
    };
  }

  /** An official Engine.IO client; messages by `await next()`. */
  async engine(options = {}) {
    const client = new EngineClient(this.url, { path: this.path, ...options });
    const messages = new Queue("an Engine.IO message");
    client.on("message", (data) => messages.push(data));
    this.cleanups.push(() => client.close());
    await within(once(client, "open"), "open");
    return { client, next: () => messages.next() };
  }

  /** An official Socket.IO manager: sockets by `manager.socket("/custom", {auth})`. */
  manager(options = {}) {
    const manager = new Manager(this.url, { path: this.path, reconnection: false, autoConnect: false, ...options });
    this.cleanups.push(() => manager._close());
    return manager;
  }

  /** Connect a socket of `manager`, or of a new one with `transports`. */
  async socket(nsp = "/", { auth, manager, ...options } = {}) {
    const socket = (manager ?? this.manager(options)).socket(nsp, { auth });
    socket.connect();
    await this.event(socket, "connect");
    return socket;
  }

  /** The arguments of the next `event` on an emitter. */
  event(emitter, event) {
    return within(new Promise((resolve) => emitter.once(event, (...args) => resolve(args))), event);
  }
}
