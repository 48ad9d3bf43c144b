// Reads and hashes parts outside the page's main thread. See hash.js.
//
// A request is {id, part, buffer, algorithm}: a Blob, an ArrayBuffer of its size to read it into, and "sha256" or "md5".
// The response is {id, digest, result}: the digest in lower-case hex and the content, or {id} if the part cannot be
// read or hashed.

const hashes = new Map(); // by algorithm: a promise of a function from an ArrayBuffer to its digest
const activeReaders = new Set(); // keeps streams from being garbage-collected, and so never ending, while they are read

for (const algorithm of ["sha256", "md5"]) getHash(algorithm).catch(() => {}); // the server may be away later

onmessage = async ({ data: { id, part, buffer, algorithm } }) => {
  try {
    const hash = await getHash(algorithm);
    const result = await read(part, buffer);
    const digest = await hash(result);
    postMessage({ id, digest, result }, [result]);
  } catch {
    postMessage({ id });
  }
};

/** Tries again after an error. */
function getHash(algorithm) {
  if (!hashes.has(algorithm)) {
    const loading = loadHash(algorithm);
    hashes.set(algorithm, loading);
    loading.catch(() => hashes.delete(algorithm));
  }
  return hashes.get(algorithm);
}

/** Only secure contexts have crypto.subtle, and it has no MD5. */
async function loadHash(algorithm) {
  if (algorithm === "sha256" && crypto.subtle) {
    return async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));
  }
  importScripts(`${algorithm}.umd.min.js`);
  const hash = await (algorithm === "md5" ? hashwasm.createMD5() : hashwasm.createSHA256());
  return (bytes) => hash.init().update(new Uint8Array(bytes)).digest();
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
