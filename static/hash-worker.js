// Reads and hashes parts outside the page's main thread. See hash.js.
//
// A request is {id, part, buffer}: a Blob, and an ArrayBuffer of its size to read it into. The response is
// {id, digest, result}: the digest in lower-case hex and the content, or {id} if the part cannot be read or hashed.

const loading = loadHash();
loading.catch(() => {}); // reported in the response to each request
const activeReaders = new Set(); // keeps streams from being garbage-collected, and so never ending, while they are read

onmessage = async ({ data: { id, part, buffer } }) => {
  try {
    const sha256 = await loading;
    const result = await read(part, buffer);
    const digest = await sha256(result);
    postMessage({ id, digest, result }, [result]);
  } catch {
    postMessage({ id });
  }
};

/** Returns a function from an ArrayBuffer to its digest. Only secure contexts have crypto.subtle. */
async function loadHash() {
  if (crypto.subtle) return async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));
  importScripts("sha256.umd.min.js");
  const sha256 = await hashwasm.createSHA256();
  return (bytes) => sha256.init().update(new Uint8Array(bytes)).digest();
}

async function read(part, buffer) {
  const reader = byteReader(part);
  if (!reader) return part.arrayBuffer();
  activeReaders.add(reader);
  return fill(buffer, reader).finally(() => activeReaders.delete(reader));
}

/** Null if the browser has no such reader. */
function byteReader(part) {
  try {
    return part.stream().getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

/** Fills the buffer, and returns the one that its memory belongs to afterwards. */
async function fill(buffer, reader) {
  for (let filled = 0; filled < buffer.byteLength; ) {
    const { done, value } = await reader.read(new Uint8Array(buffer, filled));
    if (done) throw new Error("the file is shorter than expected");
    buffer = value.buffer;
    filled += value.byteLength;
  }
  return buffer;
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
