// The conformance target on the reference packages: the server that the traces are recorded from, and that
// our own servers are compared with. One process per configuration:
//
//   CONFORMANCE_CONFIG='{"port":3000,"mode":"socketio","options":{...},"behaviors":{...}}' node target.mjs
//
// It prints `READY {"port":N}` when it listens on 127.0.0.1 and one `@{"event":...}` line per log entry.
// Port 0 lets the system choose. The Python target obeys the same contract.

import http from "node:http";
import { attach } from "engine.io";
import { Server } from "socket.io";
import { referenceOptions, watchEngine } from "./target_options.mjs";
import { installNamespaces } from "./target_namespaces.mjs";

function log(event, fields) {
  process.stdout.write(`@${JSON.stringify({ event, ...fields })}\n`);
}

function echoEngine(httpServer, config) {
  const engine = attach(httpServer, referenceOptions(config, log));
  watchEngine(engine, config, log);
  engine.on("connection", (socket) => {
    log("connect", { sid: socket.id, transport: socket.transport.name, protocol: socket.protocol });
    socket.on("upgrade", (transport) => log("upgrade", { sid: socket.id, transport: transport.name }));
    socket.on("close", (reason) => log("disconnect", { sid: socket.id, reason }));
    socket.on("message", (message) => {
      if (message === "close-me") socket.close();
      else if (message === "big") socket.send("x".repeat(5000));
      else if (message === "big-nocompress") socket.send("x".repeat(5000), { compress: false });
      else socket.send(message);
    });
  });
}

function namespaceServer(httpServer, config) {
  const io = new Server(httpServer, referenceOptions(config, log));
  watchEngine(io.engine, config, log);
  installNamespaces(io, log, () => io.close(() => process.exit(0)));
}

const MODES = { engineio: echoEngine, socketio: namespaceServer, default: namespaceServer };

const config = JSON.parse(process.env.CONFORMANCE_CONFIG ?? "{}");
const mode = config.mode ?? "socketio";
if (!Object.hasOwn(MODES, mode)) {
  throw new Error(`mode is ${JSON.stringify(mode)}; allowed are ${Object.keys(MODES).join(", ")}`);
}
const server = http.createServer((_request, response) => {
  response.writeHead(404);
  response.end();
});
MODES[mode](server, config);
server.listen(config.port ?? 3000, "127.0.0.1", () => {
  process.stdout.write(`READY ${JSON.stringify({ port: server.address().port })}\n`);
});
