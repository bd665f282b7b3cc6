// The cors option inside the engine: which of its headers are on which answers. What the policy itself decides
// about every combination is recorded by cors.mjs; here each option is seen to arrive. Bare HTTP.

const QUERY = "EIO=4&transport=polling";
const TARGET = `/engine.io/?${QUERY}`;

/** One handshake with each origin (null: without), then a preflight and a refusal with the first one. */
function cors(name, about, options, origins = ["https://example.com", "https://other.org", null], more = {}) {
  const headersOf = (origin) => (origin === null ? {} : { origin });
  const run = async (ctx) => {
    for (const origin of origins) await ctx.get(QUERY, { headers: headersOf(origin) });
    const first = headersOf(origins[0]);
    await ctx.request("OPTIONS", TARGET, {
      headers: {
        ...first,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, x-mine",
      },
    });
    await ctx.get("EIO=4&transport=abc", { headers: first });
  };
  return { name: `eio-cors-${name}`, about, mode: "engineio", client: "bare HTTP", run, options: { cors: options }, ...more };
}

const ORIGIN = { origin: "https://example.com" };

export const CORS = [
  cors("string", "one origin: sent to whoever asks", ORIGIN),
  cors("any", "every origin", { origin: "*" }),
  cors("true", "origin true: whoever asks is named", { origin: true }),
  cors("false", "origin false: no header at all", { origin: false }),
  cors("none", "an empty object: the module's own defaults", {}),
  cors("list", "a list of strings and a regular expression", {
    origin: ["https://example.com", { regex: "\\.example\\.net$" }],
  }, ["https://example.com", "https://a.example.net", "https://other.org", null]),
  cors("regex", "a regular expression", { origin: { regex: "^https://(\\w+\\.)?example\\.com$" } }),
  cors("function", "a function of the origin", { origin: { endsWith: ".com" } }),
  cors("delegate", "the whole option as a function of the request", { delegate: { ...ORIGIN, credentials: true } }),
  cors("credentials", "credentials", { ...ORIGIN, credentials: true }),
  cors("any-credentials", "every origin with credentials, as the reference sends it", { origin: "*", credentials: true }),
  cors("methods", "methods, as a list", { ...ORIGIN, methods: ["GET", "POST"] }),
  cors("methods-text", "methods, as a text", { ...ORIGIN, methods: "GET,POST" }),
  cors("allowed-headers", "allowedHeaders, as a list", { ...ORIGIN, allowedHeaders: ["X-One", "X-Two"] }),
  cors("allowed-headers-text", "allowedHeaders, as a text", { ...ORIGIN, allowedHeaders: "X-One,X-Two" }),
  cors("exposed-headers", "exposedHeaders", { ...ORIGIN, exposedHeaders: ["X-One", "X-Two"] }),
  cors("exposed-headers-text", "exposedHeaders, as a text", { ...ORIGIN, exposedHeaders: "X-One" }),
  cors("max-age", "maxAge", { ...ORIGIN, maxAge: 600 }),
  cors("preflight-continue", "preflightContinue: the engine sees the OPTIONS", { ...ORIGIN, preflightContinue: true }),
  cors("success-status", "optionsSuccessStatus", { ...ORIGIN, optionsSuccessStatus: 200 }),
  cors("absent", "without the option there is no header, and OPTIONS is no handshake", undefined),
  {
    name: "eio-cors-session",
    about: "the headers are on every answer of a session, the 101 too",
    mode: "engineio",
    client: "bare HTTP and ws",
    options: { cors: { ...ORIGIN, credentials: true } },
    run: async (ctx) => {
      const headers = { origin: "https://example.com" };
      const session = await ctx.polling(QUERY, { headers });
      await session.post("4a", { headers });
      await session.poll();
      await ctx.request("OPTIONS", session.target, { headers: { ...headers, "access-control-request-method": "POST" } });
      await ctx.request("PUT", session.target, { headers });
      const link = await ctx.websocket(`EIO=4&transport=websocket&sid=${session.sid}`, { headers });
      link.send("2probe");
      await link.next();
      link.send("5");
      await ctx.log("upgrade");
      link.close();
      await ctx.log("disconnect");
      const direct = await ctx.websocket("EIO=4&transport=websocket", { headers });
      await direct.next();
      direct.close();
      await ctx.log("disconnect");
    },
  },
];
