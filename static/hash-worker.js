// Reads parts and hashes them, away from the page, which neither waits nor stutters meanwhile. See hash.js.
//
// A request is {id, part, buffer}: a Blob and memory as long as it, for use. The answer is {id, digest, result}, with the
// digest in lower-case hex and the part's bytes, or {id} if the part cannot be read or hashed.

const hashing = makeHash();
hashing.catch(() => {}); // each request hears of it
const underWay = new Set(); // of readers: a stream that nobody holds may be collected while it is read, and never ends

onmessage = async ({ data: { id, part, buffer } }) => {
  try {
    const sha256 = await hashing;
    const result = await read(part, buffer);
    const digest = await sha256(result);
    postMessage({ id, digest, result }, [result]);
  } catch {
    postMessage({ id });
  }
};

/** Makes a function that gives the digest of an ArrayBuffer. Only a secure context has crypto.subtle. */
async function makeHash() {
  if (crypto.subtle) return async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));
  importScripts("sha256.umd.min.js");
  const sha256 = await hashwasm.createSHA256();
  return (bytes) => sha256.init().update(new Uint8Array(bytes)).digest();
}

async function read(part, buffer) {
  const reader = byteReader(part);
  if (!reader) return part.arrayBuffer();
  underWay.add(reader);
  return fill(buffer, reader).finally(() => underWay.delete(reader));
}

/** Null where the browser has no such reader for a file. */
function byteReader(part) {
  try {
    return part.stream().getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

/** Fills buffer, and returns the buffer that it has become. */
async function fill(buffer, reader) {
  for (let filled = 0; filled < buffer.byteLength; ) {
    const { done, value } = await reader.read(new Uint8Array(buffer, filled));
    if (done) throw new Error("the file is shorter than it was");
    buffer = value.buffer;
    filled += value.byteLength;
  }
  return buffer;
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
