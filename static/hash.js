// SHA-256 of the parts by the browser's own code, off the main thread.
//
// Under version 4 Fine Uploader hashes every part with CryptoJS, which takes longer than a fast network takes to carry
// the part, and the page stands still meanwhile. It reads the part with a FileReader, makes a WordArray of the result
// and asks CryptoJS for the digest, all within one event. So a FileReader that reads an ArrayBuffer is not done before
// crypto.subtle has the digest, and CryptoJS then only looks it up. The digest is the same.
//
// Reading costs more than hashing: a FileReader took 80 ms for a part where a stream into memory that is used again
// took 20, and the digest as much. So that is how parts are read.

const MOST_SPARE = 3; // buffers: as many parts are under way at once

/**
 * Lets crypto.subtle do the hashing from here on. Where there is none (a page that came over plain HTTP from another
 * machine is no secure context) or it fails, CryptoJS does, as ever.
 */
export function hashNatively(qq, { subtle } = globalThis.crypto ?? {}) {
  if (!subtle) return;
  const digests = new WeakMap(); // of ArrayBuffers, in lower-case hex
  const spare = new Buffers();
  const underWay = new Set(); // of readers: a stream that nobody holds may be collected while it is read, and never ends

  globalThis.FileReader = class extends FileReader {
    readAsArrayBuffer(part) {
      this.#read(part).catch(() => super.readAsArrayBuffer(part)); // which also knows how to fail
    }

    async #read(part) {
      const reader = byteReader(part);
      underWay.add(reader);
      const reading = reader ? fill(spare.take(part.size), reader) : part.arrayBuffer();
      const result = await reading.finally(() => underWay.delete(reader));
      digests.set(result, hex(await subtle.digest("SHA-256", result)));
      const own = (value) => ({ value, configurable: true });
      Object.defineProperties(this, { result: own(result), readyState: own(FileReader.DONE) });
      for (const event of ["load", "loadend"]) this.dispatchEvent(new ProgressEvent(event));
    }
  };

  const { create } = qq.CryptoJS.lib.WordArray;
  qq.CryptoJS.lib.WordArray.create = function (content, ...rest) {
    const digest = digests.get(content);
    if (!digest) return create.call(this, content, ...rest);
    digests.delete(content);
    spare.give(content); // nobody looks at it any more
    return { digest };
  };
  const { SHA256 } = qq.CryptoJS;
  qq.CryptoJS.SHA256 = (message, ...rest) => (message?.digest ? message.digest : SHA256(message, ...rest));
}

/** Memory to be used again: a computer takes longer to hand out new memory for a part than to hash it. */
class Buffers {
  #spare = [];

  take(size) {
    const i = this.#spare.findIndex(({ byteLength }) => byteLength === size);
    return i < 0 ? new ArrayBuffer(size) : this.#spare.splice(i, 1)[0];
  }

  give(buffer) {
    this.#spare.push(buffer);
    if (this.#spare.length > MOST_SPARE) this.#spare.shift();
  }
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
