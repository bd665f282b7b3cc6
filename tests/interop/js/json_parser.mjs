// A custom parser, the one that the conformance target's option `parser: "json"` names: each packet is one text
// message, JSON({type, nsp, data, id}).

import { EventEmitter } from "node:events";

class Encoder {
  encode({ type, nsp, data, id }) {
    return [JSON.stringify({ type, nsp, data, id })];
  }
}

class Decoder extends EventEmitter {
  add(chunk) {
    const packet = JSON.parse(chunk);
    if (!Number.isInteger(packet.type) || typeof packet.nsp !== "string") throw new Error("invalid packet");
    this.emit("decoded", packet);
  }
  destroy() {}
}

export const jsonParser = { Encoder, Decoder };
