// SHA-256 of the parts by the browser's own code, in a worker.
//
// Under version 4 Fine Uploader hashes every part with CryptoJS, which takes longer than a fast network takes to carry
// the part, and the page stands still meanwhile. It reads the part with a FileReader, makes a WordArray of the result
// and asks CryptoJS for the digest, all within one event. So a FileReader that reads an ArrayBuffer is not done before
// the worker has the digest, and CryptoJS then only looks it up. The digest is the same.
//
// Reading costs more than hashing: a FileReader took 80 ms for a part where a stream into memory that is used again
// took 20, and the digest as much. So that is how the worker reads.

const MOST_SPARE = 3; // buffers: as many parts are under way at once

/**
 * Lets a worker do the hashing from here on. Where the browser has no crypto.subtle (a page that came over plain HTTP
 * from another machine is no secure context) or the worker fails, CryptoJS does, as ever.
 */
export function hashNatively(qq) {
  if (!globalThis.crypto?.subtle) return;
  const digests = new WeakMap(); // of ArrayBuffers, in lower-case hex
  const spare = new Buffers();
  const worker = new HashWorker();

  globalThis.FileReader = class extends FileReader {
    readAsArrayBuffer(part) {
      this.#read(part).catch(() => super.readAsArrayBuffer(part)); // which also knows how to fail
    }

    async #read(part) {
      const { digest, result } = await worker.read(part, spare.take(part.size));
      digests.set(result, digest);
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

/** The worker, and those who wait for its answers. */
class HashWorker {
  #worker;
  #waiting = new Map(); // {resolve, reject} by id
  #asked = 0;

  constructor() {
    try {
      this.#worker = new Worker(new URL("hash-worker.js", import.meta.url));
      this.#worker.onmessage = ({ data }) => this.#settle(data);
      this.#worker.onerror = () => this.#giveUp(); // there is none, or the page may not have it
    } catch {
      this.#worker = null;
    }
  }

  /** Gives {digest, result}: the part's bytes in buffer, or in what it has become. */
  read(part, buffer) {
    if (!this.#worker) return Promise.reject();
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, part, buffer }, [buffer]);
    });
  }

  #settle({ id, digest, result }) {
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (digest) resolve({ digest, result });
    else reject();
  }

  #giveUp() {
    this.#worker?.terminate(); // what it may still answer, nobody waits for
    this.#worker = null;
    for (const id of this.#waiting.keys()) this.#settle({ id });
  }
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
