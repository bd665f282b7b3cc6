// The options of a conformance run, as JSON carries them, turned into the reference's own.
//
// Everything that JSON can say is passed on untouched: the names and units are those of the Socket.IO
// documentation. What it cannot say (a RegExp, a function, a parser class) is written as a small object:
//
//   cors.origin   {"regex": "..."} | {"endsWith": "s"} | a list of strings and regex objects
//   cors          {"delegate": {...}}          the whole option as a function of the request
//   cookie        expires: {"date": "..."}; encode: "prefix", a function that writes `s.` before the value
//   parser        "msgpack" | "json"

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

function corsOrigin(origin) {
  if (Array.isArray(origin)) return origin.map(corsOrigin);
  if (origin === null || typeof origin !== "object") return origin;
  if ("regex" in origin) return new RegExp(origin.regex);
  if ("endsWith" in origin) {
    return (value, callback) => callback(null, typeof value === "string" && value.endsWith(origin.endsWith));
  }
  throw new Error(`cors.origin is ${JSON.stringify(origin)}; an object must have "regex" or "endsWith"`);
}

function corsOption(cors) {
  if (cors === null || typeof cors !== "object") return cors;
  if ("delegate" in cors) {
    const options = corsOption(cors.delegate);
    return (_request, callback) => callback(null, options);
  }
  return "origin" in cors ? { ...cors, origin: corsOrigin(cors.origin) } : cors;
}

function cookieOption(cookie) {
  const result = { ...cookie };
  if (result.expires?.date !== undefined) result.expires = new Date(result.expires.date);
  if (result.encode !== undefined) result.encode = lookUp({ prefix: (value) => `s.${value}` }, result.encode, "cookie.encode");
  return result;
}

// The custom parser of the "json" value: one text message a packet, no attachments.
function jsonParser() {
  const Emitter = require("node:events");
  class Encoder {
    encode({ type, nsp, data, id }) {
      return [JSON.stringify({ type, nsp, data, id })];
    }
  }
  class Decoder extends Emitter {
    add(chunk) {
      const packet = JSON.parse(chunk);
      if (!Number.isInteger(packet.type) || typeof packet.nsp !== "string") throw new Error("invalid format");
      this.emit("decoded", packet);
    }
    destroy() {}
  }
  return { Encoder, Decoder };
}

export const PARSERS = { msgpack: () => require("socket.io-msgpack-parser"), json: jsonParser };

const ALLOW_REQUEST = {
  accept: (_request, callback) => callback(null, true),
  deny: (_request, callback) => callback(null, false),
  "deny-message": (_request, callback) => callback("thou shall not pass", false),
  token: (request, callback) =>
    setTimeout(() => {
      const query = new URL(request.url, "http://localhost").searchParams;
      callback(null, query.get("token") === "secret");
    }, 20),
};

// Engine middlewares. Each kind does one thing that a middleware may do; two that only pass
// on, at once and 20 ms later, precede it.
const MIDDLEWARES = {
  headers: (_request, response, next) => {
    response.setHeader("X-Middleware", "here");
    next();
  },
  cookie: (_request, response, next) => {
    response.setHeader("Set-Cookie", "mw=1; Path=/");
    next();
  },
  "end-503": (_request, response) => {
    response.writeHead(503, { "Content-Type": "text/plain" });
    response.end("later, please");
  },
  fail: (_request, _response, next) => next(new Error("the middleware failed")),
};

const GENERATE_ID = {
  counter: () => {
    let count = 0;
    return () => `custom-${++count}`;
  },
  async: () => {
    let count = 0;
    return async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return `custom-${++count}`;
    };
  },
  fail: () => () => {
    throw new Error("no id today");
  },
};

function lookUp(table, key, option) {
  if (!Object.hasOwn(table, key)) {
    throw new Error(`${option} is ${JSON.stringify(key)}; allowed are ${Object.keys(table).join(", ")}`);
  }
  return table[key];
}

/** The options for `new Server(...)` of socket.io or `attach(...)` of engine.io. */
export function referenceOptions({ options = {}, behaviors = {} }, log) {
  const result = { ...options };
  if ("cors" in result) result.cors = corsOption(result.cors);
  if (result.cookie !== null && typeof result.cookie === "object") result.cookie = cookieOption(result.cookie);
  if ("parser" in result) result.parser = lookUp(PARSERS, result.parser, "parser")();
  if (behaviors.allowRequest !== undefined) {
    const decide = lookUp(ALLOW_REQUEST, behaviors.allowRequest, "allowRequest");
    result.allowRequest = (request, callback) => {
      log("allow_request", { url: request.url });
      decide(request, callback);
    };
  }
  return result;
}

/** What both modes ask of the engine: the refusals logged, the two header hooks, middlewares, the ids. */
export function watchEngine(engine, { behaviors = {} }, log) {
  engine.on("connection_error", ({ code, message, context }) => {
    log("connection_error", { code, message, context });
  });
  for (const [event, headers] of [
    ["initial_headers", behaviors.initialHeaders],
    ["headers", behaviors.headers],
  ]) {
    if (headers) engine.on(event, (sent) => Object.assign(sent, headers));
  }
  if (behaviors.middleware !== undefined) {
    const middleware = lookUp(MIDDLEWARES, behaviors.middleware, "middleware");
    engine.use((_request, _response, next) => next());
    engine.use((_request, _response, next) => setTimeout(next, 20));
    engine.use(middleware);
  }
  if (behaviors.generateId !== undefined) {
    engine.generateId = lookUp(GENERATE_ID, behaviors.generateId, "generateId")();
  }
}
