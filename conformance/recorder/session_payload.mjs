// The packets in the body of a polling answer, for naming ids and for comparing recordings: protocol 4 with its
// separator, protocol 3 in its text and its binary form, JSONP around either.

const SEPARATOR = "\x1e";
const JSONP = /^___eio\[\d*\]\(("(?:[^"\\]|\\.)*")\);$/;

/** Packets as strings; those of a binary payload that are bytes, as "<base64>". */
export function packetsOf(request, response) {
  const query = request.target.slice(request.target.indexOf("?") + 1);
  const protocol3 = !/(^|&)EIO=4(&|$)/.test(query);
  if (response.base64 !== undefined) return binaryPayload(Buffer.from(response.base64, "base64"));
  let body = response.body ?? "";
  const jsonp = JSONP.exec(body);
  if (jsonp) body = JSON.parse(jsonp[1]);
  // A binary payload can happen to be text.
  if (protocol3 && (body[0] === "\0" || body[0] === "\x01")) return binaryPayload(Buffer.from(body));
  return protocol3 ? textPayload(body) : body.split(SEPARATOR);
}

function textPayload(body) {
  const packets = [];
  for (let at = 0; at < body.length; ) {
    const colon = body.indexOf(":", at);
    const length = Number(body.slice(at, colon));
    if (colon < 0 || !Number.isInteger(length)) return [...packets, body.slice(at)];
    packets.push(body.slice(colon + 1, colon + 1 + length));
    at = colon + 1 + length;
  }
  return packets;
}

function binaryPayload(bytes) {
  const packets = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0xff, at);
    const length = Number([...bytes.subarray(at + 1, end)].join(""));
    const body = bytes.subarray(end + 1, end + 1 + length);
    packets.push(bytes[at] === 0 ? body.toString("utf8") : `<${body.toString("base64")}>`);
    at = end + 1 + length;
  }
  return packets;
}
