// One TCP connection seen from the middle: bytes of both sides in, trace lines out.
//
// The proxy feeds every segment; this reads just enough HTTP/1.1 and WebSocket to name what passed: a request,
// a response, a message, a control frame, the end of a side. It never changes a byte and knows nothing of
// Engine.IO. Anything it does not understand throws: a trace with a hole in it must not be written.

const REQUEST_HEADERS = /^(accept-encoding|content-type|cookie|origin|upgrade|access-control-request-.*|sec-websocket-(extensions|protocol))$/;
const RESPONSE_HEADERS = /^(access-control-.*|cache-control|content-encoding|content-type|location|set-cookie|upgrade|vary|x-.*|sec-websocket-(extensions|protocol|version))$/;

const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

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
    if (!pattern.test(name)) continue;
    if (name in result) result[name] = [result[name], text].flat();
    else result[name] = text;
  }
  return result;
}

// The body as trace fields: readable when it is UTF-8 text, base64 otherwise, absent when empty.
function bodyFields(bytes) {
  if (bytes.length === 0) return {};
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

/** The frames of one direction. */
class Frames {
  constructor(emit) {
    this.emit = emit;
    this.parts = [];
    this.opcode = 0;
  }

  /** Consume whole frames; returns the rest. */
  read(bytes) {
    for (;;) {
      const frame = takeFrame(bytes);
      if (frame === null) return bytes;
      bytes = bytes.subarray(frame.used);
      this.frame(frame);
    }
  }

  frame({ final, opcode, payload }) {
    if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : null;
      this.emit({ close: { code, reason: payload.toString("utf8", 2) } });
    } else if (opcode === PING) this.emit({ ping: payload.toString("latin1") });
    else if (opcode === PONG) this.emit({ pong: payload.toString("latin1") });
    else {
      if (opcode !== 0) this.opcode = opcode;
      this.parts.push(payload);
      if (!final) return;
      const message = Buffer.concat(this.parts);
      this.parts = [];
      this.emit(this.opcode === TEXT ? { text: message.toString("utf8") } : { binary: message.toString("base64") });
    }
  }
}

function takeFrame(bytes) {
  if (bytes.length < 2) return null;
  if (bytes[0] & 0x70) throw new Error("a frame with RSV bits: compressed frames are not recorded");
  const opcode = bytes[0] & 0x0f;
  if (![0, TEXT, BINARY, CLOSE, PING, PONG].includes(opcode)) throw new Error(`a frame with opcode ${opcode}`);
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  const masked = (bytes[1] & 0x80) !== 0;
  const used = at + (masked ? 4 : 0) + length;
  if (bytes.length < used) return null;
  const payload = Buffer.from(bytes.subarray(used - length, used));
  if (masked) for (let i = 0; i < length; i++) payload[i] ^= bytes[at + (i & 3)];
  return { final: (bytes[0] & 0x80) !== 0, opcode, payload, used };
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

  framesFrom(from) {
    return new Frames((line) => {
      if (line.close) this.closed[from] = true;
      this.emit(from, line);
    });
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
    const fields = { status, headers: kept(headers, RESPONSE_HEADERS), ...bodyFields(taken.body) };
    this.emit("server", { response: fields });
    if (status === 101) this.frames = { client: this.framesFrom("client"), server: this.framesFrom("server") };
    return true;
  }
}
