// What may be sent as an image: one of four formats below LIMIT bytes. Everything else that the browser can
// decode (a photo of 8 MB, an AVIF, an SVG) is drawn into a canvas and becomes a JPEG that fits.

export const LIMIT = 900_000; // bytes; the server refuses a larger one (its own limit for a message is 1 MB)

const ACCEPTED = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const STEPS = [[2560, 0.88], [2048, 0.84], [1600, 0.8], [1280, 0.75], [1024, 0.7], [800, 0.6]]; // edge, quality

/** The image to send for what the user chose, and a note on what was done to it; throws with a plain reason. */
export async function prepare(file) {
  const name = file.name || "image";
  if (!file.type.startsWith("image/")) throw new Error(`“${name}” is not an image.`);
  const url = URL.createObjectURL(file);
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode().catch(() => { throw new Error(`“${name}” cannot be shown by this browser.`); });
    if (ACCEPTED.has(file.type) && file.size < LIMIT) return await ready(name, file, size(file.size));
    const blob = await shrink(picture);
    if (!blob) throw new Error(`“${name}” is too large, even scaled down. The limit is ${size(LIMIT)}.`);
    const still = file.type === "image/gif" ? ", a still of the animation" : "";
    return await ready(name, blob, `${size(blob.size)}, scaled down from ${size(file.size)}${still}`);
  } finally {
    URL.revokeObjectURL(url);
  }
}

// The bytes are read here, not when they are sent: a text sent with the image must not overtake it.
async function ready(name, blob, note) {
  return { name, blob, note, bytes: await blob.arrayBuffer() };
}

async function shrink(picture) {
  // An SVG may have no size of its own.
  const [width, height] = [picture.naturalWidth || 1024, picture.naturalHeight || 1024];
  for (const [edge, quality] of STEPS) {
    const scale = Math.min(1, edge / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff"; // JPEG has no transparency
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size < LIMIT) return blob;
  }
  return null;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
