// Values that JSON has no form for, tagged in the cases of the parsers' recorders and in their traces alike:
// {"$bytes": base64}, {"$number": "NaN"}, {"$date": ms}, {"$undefined": true}, {"$deep": n} (n arrays in one
// another), {"$repeat": [item, n]} (a text n times over, a list of n numbers, n bytes), {"$circular": true}.

export const bytes = (...values) => ({ $bytes: Buffer.from(values).toString("base64") });
export const number = (text) => ({ $number: text });

export function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return Buffer.from(value.$bytes, "base64");
  if ("$number" in value) return Number(value.$number);
  if ("$date" in value) return new Date(value.$date);
  if ("$deep" in value) return JSON.parse("[".repeat(value.$deep) + "]".repeat(value.$deep));
  if ("$repeat" in value) {
    const [item, times] = value.$repeat;
    if (typeof item === "string") return item.repeat(times);
    return typeof item === "number" ? Array(times).fill(item) : Buffer.alloc(times, revive(item));
  }
  if ("$circular" in value) {
    const circle = {};
    circle.self = circle;
    return circle;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}

// A member that is undefined is left out, as JSON.stringify does.
export function tag(value) {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString("base64") };
  if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString("base64") };
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? "invalid" : value.getTime() };
  if (Array.isArray(value)) return Array.from(value, (item) => (item === undefined ? { $undefined: true } : tag(item)));
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) return number(Object.is(value, -0) ? "-0" : String(value));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tag(item)]));
}

// The same, with arrays in arrays as their depth: ["a", [[[...]]]] is what the cases about depth decode to.
export function tagDeep(data) {
  if (Array.isArray(data) && data.length === 2 && Array.isArray(data[1])) {
    let depth = 0;
    let inner = data[1];
    while (Array.isArray(inner) && inner.length <= 1) {
      depth += 1;
      if (inner.length === 0) return depth > 3 ? [data[0], { $deep: depth }] : tag(data);
      inner = inner[0];
    }
  }
  return tag(data);
}
