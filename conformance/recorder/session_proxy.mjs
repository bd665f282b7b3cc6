// A TCP proxy on loopback between the clients of a scenario and the server under test. It forwards bytes and
// ends as they come and tells the recording about them; a wire is numbered by the order of its first bytes.

import net from "node:net";
import { Wire } from "./session_wire.mjs";

export class RecordingProxy {
  constructor(targetPort) {
    this.targetPort = targetPort;
    this.lines = [];
    this.started = null;
    this.wires = 0;
    this.sockets = new Set();
    this.failure = null;
    this.server = net.createServer({ allowHalfOpen: true }, (client) => this.accept(client));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
  }

  close() {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Wait until nothing has passed for `ms`. */
  async quiet(ms) {
    for (let seen = -1; seen !== this.lines.length; ) {
      seen = this.lines.length;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  append(fields) {
    const now = performance.now();
    this.started ??= now;
    const line = { t: Math.round(now - this.started), ...fields };
    this.lines.push(line);
    return line;
  }

  accept(client) {
    let number = 0;
    const wire = new Wire((from, fields) => {
      number ||= ++this.wires;
      return this.append({ wire: number, from, ...fields });
    });
    const server = net.connect({ port: this.targetPort, host: "127.0.0.1", allowHalfOpen: true });
    for (const [from, source, sink] of [
      ["client", client, server],
      ["server", server, client],
    ]) {
      this.sockets.add(source);
      source.setNoDelay(true);
      source.on("data", (bytes) => {
        this.guard(() => wire.data(from, bytes));
        sink.write(bytes);
      });
      source.on("end", () => {
        this.guard(() => wire.end(from));
        sink.end();
      });
      source.on("error", () => {}); // a reset: "close" follows and ends the other side
      source.on("close", () => {
        this.sockets.delete(source);
        this.guard(() => wire.end(from));
        sink.destroySoon();
      });
    }
  }

  guard(action) {
    try {
      action();
    } catch (error) {
      this.failure ??= error;
    }
  }
}
