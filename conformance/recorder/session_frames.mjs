// The WebSocket frames of one direction: bytes in, trace lines out. Fragments are joined, compressed messages
// (permessage-deflate) inflated; `compressed` says that one was.

import { constants, inflateRawSync } from "node:zlib";

const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
const WINDOW = 32768;

/**
 * `emit(line)` is called with each line. `deflate`: the extension was negotiated. `lenient`: what is no frame, or
 * no text, becomes a line {raw: base64} instead of an error, and the last one.
 */
export class Frames {
  constructor(emit, { deflate, lenient }) {
    this.emit = emit;
    this.deflate = deflate;
    this.lenient = lenient;
    this.parts = [];
    this.opcode = 0;
    this.compressed = false;
    this.window = Buffer.alloc(0); // of the messages so far: without context takeover nothing refers to it
    this.lost = false;
  }

  /** Consume whole frames; returns the rest. */
  read(bytes) {
    for (;;) {
      if (bytes.length === 0) return bytes;
      if (this.lost) return bytes.subarray(bytes.length); // behind what is no frame nothing counts
      let frame;
      try {
        frame = takeFrame(bytes, this.deflate);
        if (frame !== null && this.lenient) this.check(frame);
        if (frame !== null) this.frame(frame);
      } catch (error) {
        if (!this.lenient) throw error;
        this.lost = true;
        this.emit({ raw: bytes.toString("base64") });
        return bytes.subarray(bytes.length);
      }
      if (frame === null) return bytes;
      bytes = bytes.subarray(frame.used);
    }
  }

  /** What a client must not send, beside what is no frame at all. */
  check({ final, opcode, masked, payload }) {
    if (!masked) throw new Error("a frame without a mask");
    if (opcode >= CLOSE && (!final || payload.length > 125)) throw new Error("a control frame that is no short whole");
    if (opcode === CLOSE && payload.length === 1) throw new Error("half a close code");
    if (opcode < CLOSE && (opcode === 0) !== this.parts.length > 0) throw new Error("a fragment out of order");
  }

  frame({ final, opcode, compressed, payload }) {
    if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : null;
      this.emit({ close: { code, reason: payload.toString("utf8", 2) } });
    } else if (opcode === PING) this.emit({ ping: payload.toString("latin1") });
    else if (opcode === PONG) this.emit({ pong: payload.toString("latin1") });
    else {
      if (opcode !== 0) {
        this.opcode = opcode;
        this.compressed = compressed;
      }
      this.parts.push(payload);
      if (!final) return;
      const whole = Buffer.concat(this.parts);
      this.parts = [];
      const message = this.compressed ? this.inflated(whole) : whole;
      this.emit({ ...(this.opcode === TEXT ? { text: utf8(message) } : binary(message)), ...(this.deflate && { compressed: this.compressed }) });
    }
  }

  inflated(bytes) {
    const tail = Buffer.from([0, 0, 0xff, 0xff]); // RFC 7692, 7.2.2: the sender has cut it off
    const options = { finishFlush: constants.Z_SYNC_FLUSH, ...(this.window.length > 0 && { dictionary: this.window }) };
    const message = inflateRawSync(Buffer.concat([bytes, tail]), options);
    this.window = Buffer.concat([this.window, message]).subarray(-WINDOW);
    return message;
  }
}

function binary(message) {
  return { binary: message.toString("base64") };
}

function utf8(message) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message);
}

function takeFrame(bytes, deflate) {
  if (bytes.length < 2) return null;
  const opcode = bytes[0] & 0x0f;
  const compressed = (bytes[0] & 0x40) !== 0;
  if (bytes[0] & 0x30 || (compressed && !deflate)) throw new Error("a frame with RSV bits that nothing was negotiated for");
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
  return { final: (bytes[0] & 0x80) !== 0, opcode, compressed, masked, payload, used };
}
