// What the namespaces of the default mode do on connection and on each event. The table of events is the
// specification of the conformance target, one entry a row; `ack` is the acknowledgement callback.

const RESERVED = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

const ids = (sockets) => [...sockets].map((socket) => socket.id).sort();

function information(socket) {
  const { headers, query, auth, url, address, secure, xdomain, issued } = socket.handshake;
  return {
    sid: socket.id,
    nsp: socket.nsp.name,
    recovered: socket.recovered,
    transport: socket.conn.transport.name,
    protocol: socket.conn.protocol,
    rooms: [...socket.rooms].sort(),
    data: socket.data,
    handshake: { headers, query, auth, url, address, secure, xdomain, issued },
  };
}

function raises(action) {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}

/** Event name -> handler. `world` is {io, dyn, close}. */
function handlers(socket, world) {
  const nsp = socket.nsp;
  return {
    message: (...args) => socket.emit("message-back", ...args),
    "message-with-ack": (...args) => args.pop()(...args),
    echo: (...args) => {
      if (typeof args.at(-1) === "function") args.pop()(...args);
      else socket.emit("echo", ...args);
    },
    info: (ack) => ack(information(socket)),
    "set-data": (values, ack) => {
      Object.assign(socket.data, values);
      ack();
    },
    data: (ack) => ack(socket.data),
    join: (room, ack) => {
      socket.join(room);
      ack([...socket.rooms].sort());
    },
    leave: (room, ack) => {
      socket.leave(room);
      ack([...socket.rooms].sort());
    },
    broadcast: (event, ...args) => socket.broadcast.emit(event, ...args),
    "emit-all": (event, ...args) => nsp.emit(event, ...args),
    to: (rooms, except, event, ...args) => socket.to(rooms).except(except).emit(event, ...args),
    "nsp-to": (rooms, except, event, ...args) => nsp.to(rooms).except(except).emit(event, ...args),
    "nsp-except": (except, event, ...args) => nsp.except(except).emit(event, ...args),
    later: (ms, rooms, event, ...args) => setTimeout(() => nsp.to(rooms).emit(event, ...args), ms),
    ask: (ms, event, args, ack) =>
      socket.timeout(ms).emit(event, ...args, (error, ...answer) => {
        ack({ err: error ? "timeout" : null, res: error ? [] : answer });
      }),
    "ask-room": (rooms, ms, event, args, ack) =>
      nsp.to(rooms).timeout(ms).emit(event, ...args, (error, answers) => {
        ack({ err: error ? "timeout" : null, res: answers });
      }),
    "fetch-sockets": async (rooms, ack) => ack(ids(await nsp.in(rooms).fetchSockets())),
    "sockets-join": (rooms, target, ack) => {
      nsp.in(rooms).socketsJoin(target);
      ack();
    },
    "sockets-leave": (rooms, target, ack) => {
      nsp.in(rooms).socketsLeave(target);
      ack();
    },
    "disconnect-sockets": (rooms, close) => nsp.in(rooms).disconnectSockets(close),
    burst: (count, event) => {
      for (let i = 0; i < count; i++) socket.emit(event, i);
    },
    "volatile-burst": (count, event) => {
      for (let i = 0; i < count; i++) socket.volatile.emit(event, i);
    },
    blob: (size, compress) => socket.compress(compress).emit("blob", "x".repeat(size)),
    namespaces: (ack) => ack([...world.io._nsps.keys()].sort()),
    "parent-emit": (event, ...args) => world.dyn.emit(event, ...args),
    "disconnect-me": (close) => socket.disconnect(close),
    "try-reserved": (ack) =>
      ack(Object.fromEntries(RESERVED.map((name) => [name, raises(() => socket.emit(name))]))),
    shutdown: () => world.close(),
  };
}

function connected(socket, world, log) {
  const nsp = socket.nsp.name;
  log("connect", {
    nsp,
    sid: socket.id,
    recovered: socket.recovered,
    transport: socket.conn.transport.name,
    protocol: socket.conn.protocol,
  });
  socket.on("disconnecting", (reason) => {
    log("disconnecting", { nsp, sid: socket.id, reason, rooms: [...socket.rooms].sort() });
  });
  socket.on("disconnect", (reason) => log("disconnect", { nsp, sid: socket.id, reason }));
  socket.emit("auth", socket.handshake.auth);
  for (const [event, handler] of Object.entries(handlers(socket, world))) socket.on(event, handler);
}

function authenticate(socket, next) {
  if (socket.handshake.auth.token === "ok" || socket.handshake.query.token === "ok") return next();
  const error = new Error("not authorized");
  error.data = { code: 401, hint: "token" };
  next(error);
}

function installMiddlewares(nsp) {
  let runs = 0;
  nsp.use((socket, next) => {
    socket.data.mwRuns = ++runs;
    next();
  });
  nsp.use((socket, next) => {
    socket.data.second = true;
    next();
  });
  nsp.on("connection", (socket) => {
    socket.use(([event], next) => {
      if (event !== "forbidden") return next();
      const error = new Error("forbidden event");
      error.data = { ev: event };
      next(error);
    });
    socket.on("error", (error) => socket.emit("mw-error", error.message, error.data));
  });
}

/** Create the namespaces of the default mode on `io`; `close` ends the process. */
export function installNamespaces(io, log, close) {
  const dyn = io.of(/^\/dyn-\d+$/);
  const fn = io.of((name, auth, next) => next(null, name.startsWith("/fn-") && auth?.key === "k"));
  const world = { io, dyn, close };
  const auth = io.of("/auth");
  auth.use(authenticate);
  const mw = io.of("/mw");
  for (const nsp of [io.of("/"), io.of("/custom"), auth, mw, dyn, fn]) {
    nsp.on("connection", (socket) => connected(socket, world, log));
  }
  installMiddlewares(mw);
  // After the static ones, so that only what a client's CONNECT creates is logged.
  io.on("new_namespace", (nsp) => log("new_namespace", { nsp: nsp.name }));
}
