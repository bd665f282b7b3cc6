// One TCP connection seen from the middle: bytes of both sides in, trace lines out.
//
// The proxy feeds every segment; this reads just enough HTTP/1.1 and WebSocket to name what passed: a request,
// a response, a message, a control frame, the end of a side. It never changes a byte and knows nothing of
// Engine.IO. What a server sends and this does not understand throws: a trace with a hole in it must not be
// written. What a client sends so is written down as it is, in base64: a scenario may speak badly on purpose.

import { createHash } from "node:crypto";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { Frames } from "./session_frames.mjs";

const REQUEST_HEADERS = /^(accept-encoding|content-type|cookie|origin|upgrade|user-agent|access-control-request-.*|if-none-match|sec-websocket-(extensions|key|protocol|version))$/;
const RESPONSE_HEADERS = /^(access-control-.*|cache-control|content-encoding|content-type|etag|location|set-cookie|upgrade|vary|x-.*|sec-websocket-(extensions|protocol|version))$/;

// What every client sends in its own way, and what changes nothing: left out, and a replay sends its own.
const USUAL = { "user-agent": /^(?!.*(;MSIE|Trident\/))/, "sec-websocket-key": /^[A-Za-z0-9+/]{22}==$/, "sec-websocket-version": /^13$/ };

const FILE = 32 * 1024; // a body with more bytes is written down as its digest

const DECODERS = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

function parseHead(bytes) {
  const [first, ...rest] = bytes.toString("latin1").split("\r\n");
  const headers = rest.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { first, headers };
}

function value(headers, name) {
  return headers.find(([key]) => key === name)?.[1];
}

function kept(headers, pattern) {
  const result = {};
  for (const [name, text] of headers) {
    if (!pattern.test(name) || USUAL[name]?.test(text)) continue;
    if (name in result) result[name] = [result[name], text].flat();
    else result[name] = text;
  }
  return result;
}

// A compressed body is written down as what it says; the header stays, and tells how it came.
function decoded(headers, bytes) {
  const coding = value(headers, "content-encoding");
  if (coding === undefined || bytes.length === 0) return bytes;
  return DECODERS[coding](bytes);
}

// The body as trace fields: readable when it is UTF-8 text, base64 otherwise, absent when empty. A file is a digest.
function bodyFields(bytes) {
  if (bytes.length === 0) return {};
  if (bytes.length > FILE) return { body: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? { body: text } : { base64: bytes.toString("base64") };
}

// How much of `bytes` is the body: {body, used} when it is whole, null while it is not.
function takeBody(headers, bytes, atEnd, untilEnd) {
  if (/chunked/i.test(value(headers, "transfer-encoding") ?? "")) return takeChunked(bytes);
  const length = value(headers, "content-length");
  if (length !== undefined) {
    const size = Number(length);
    return bytes.length >= size ? { body: bytes.subarray(0, size), used: size } : null;
  }
  if (untilEnd) return atEnd ? { body: bytes, used: bytes.length } : null;
  return { body: bytes.subarray(0, 0), used: 0 };
}

function takeChunked(bytes) {
  const parts = [];
  for (let at = 0; ; ) {
    const eol = bytes.indexOf("\r\n", at);
    if (eol < 0) return null;
    const size = parseInt(bytes.toString("latin1", at, eol), 16);
    const start = eol + 2;
    if (bytes.length < start + size + 2) return null;
    if (size === 0) return { body: Buffer.concat(parts), used: start + 2 };
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}

const EMPTY = Buffer.alloc(0);

export class Wire {
  /** `emit(from, fields)` appends a line and returns it, so that a body that comes later can be filled in. */
  constructor(emit) {
    this.emit = emit;
    this.bytes = { client: EMPTY, server: EMPTY };
    this.ended = { client: false, server: false };
    this.head = null; // of the request whose body is being read
    this.pending = []; // requests without a response: {method, line, whole}
    this.answer = null; // head of the response whose body is being read
    this.frames = null;
    this.closed = { client: false, server: false }; // a close frame was sent by this side
  }

  data(from, bytes) {
    this.bytes[from] = Buffer.concat([this.bytes[from], bytes]);
    this.run();
  }

  end(from) {
    if (this.ended[from]) return;
    this.ended[from] = true;
    this.run();
    const other = from === "client" ? "server" : "client";
    // Only an end that cuts something short says anything: which side ends an idle connection, or one on which
    // the closing of a WebSocket has begun, is a matter of who is faster.
    const open = this.frames && !(this.closed.client || this.closed.server);
    if (!this.ended[other] && (this.pending.length > 0 || open)) this.emit(from, { end: true });
    for (const request of this.pending) if (!request.whole) this.incomplete(request);
  }

  incomplete(request) {
    Object.assign(request.line.request, bodyFields(this.bytes.client), { incomplete: true });
  }

  run() {
    if (!this.frames) {
      while (this.request());
      while (!this.frames && this.response());
    }
    if (this.frames) {
      for (const from of ["client", "server"]) this.bytes[from] = this.frames[from].read(this.bytes[from]);
    }
  }

  framesFrom(from, deflate) {
    const emit = (line) => {
      if (line.close) this.closed[from] = true;
      this.emit(from, line);
    };
    return new Frames(emit, { deflate, lenient: from === "client" });
  }

  request() {
    if (this.pending.some(({ upgrade }) => upgrade)) return false; // what follows is for the link, if there is one
    if (this.head === null) {
      const end = this.bytes.client.indexOf("\r\n\r\n");
      if (end < 0) return false;
      const { first, headers } = parseHead(this.bytes.client.subarray(0, end));
      this.bytes.client = this.bytes.client.subarray(end + 4);
      const [method, target] = first.split(" ");
      const line = this.emit("client", { request: { method, target, headers: kept(headers, REQUEST_HEADERS) } });
      const upgrade = value(headers, "upgrade") !== undefined;
      this.head = { method, headers, line, upgrade, whole: false };
      this.pending.push(this.head);
    }
    const taken = takeBody(this.head.headers, this.bytes.client, this.ended.client, false);
    if (taken === null) return false;
    Object.assign(this.head.line.request, bodyFields(taken.body));
    this.bytes.client = this.bytes.client.subarray(taken.used);
    this.head.whole = true;
    this.head = null;
    return true;
  }

  response() {
    if (this.answer === null) {
      const end = this.bytes.server.indexOf("\r\n\r\n");
      if (end < 0) return false;
      this.answer = parseHead(this.bytes.server.subarray(0, end));
      this.bytes.server = this.bytes.server.subarray(end + 4);
      if (this.pending.length === 0) throw new Error(`a response without a request: ${this.answer.first}`);
    }
    const { first, headers } = this.answer;
    const status = Number(first.split(" ")[1]);
    const bodiless = this.pending[0].method === "HEAD" || status === 101 || status === 204 || status === 304;
    const none = { body: EMPTY, used: 0 };
    const taken = bodiless ? none : takeBody(headers, this.bytes.server, this.ended.server, true);
    if (taken === null) return false;
    this.bytes.server = this.bytes.server.subarray(taken.used);
    this.answer = null;
    this.pending.shift();
    // What is sent to a client that has gone (Node's parser answers a cut request with 400) reaches nobody.
    if (this.ended.client) return true;
    const fields = { status, headers: kept(headers, RESPONSE_HEADERS), ...bodyFields(decoded(headers, taken.body)) };
    this.emit("server", { response: fields });
    if (status === 101) {
      const deflate = /\bpermessage-deflate\b/.test(value(headers, "sec-websocket-extensions") ?? "");
      this.frames = { client: this.framesFrom("client", deflate), server: this.framesFrom("server", deflate) };
    }
    return true;
  }
}
