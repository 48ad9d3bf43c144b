// SHA-256 of the parts in a worker: by the browser's own code or, on a page that came over plain HTTP from another machine,
// where the browser hides that, by WebAssembly.
//
// Under version 4 Fine Uploader hashes every part with CryptoJS, which takes longer than a fast network takes to carry
// the part, and the page stands still meanwhile. It reads the part with a FileReader, makes a WordArray of the result
// and asks CryptoJS for the digest, all within one event. So a FileReader that reads an ArrayBuffer is not done before
// the worker has the digest, and CryptoJS then only looks it up. The digest is the same.
//
// Reading costs more than hashing: a FileReader took 80 ms for a part where a stream into memory that is used again
// took 20, and the digest as much (on the slower machine of docs/performance.md). So that is how the worker reads. And it
// reads a part ahead, while the ones before it are sent, so that a fast line does not stand still when they are.

const LEAST_PART = 5 * 1024 * 1024; // bytes that S3 wants in every part but the last
const MOST_SPARE = 32 * 1024 * 1024; // bytes: of the usual parts, as many as are under way at once and the one ahead

/**
 * Lets a worker do the hashing from here on. Where there is none, or it fails, CryptoJS does, as ever.
 */
export function hashInWorker(qq) {
  const digests = new WeakMap(); // of ArrayBuffers, in lower-case hex
  const parts = new PartReader();

  const { slice } = File.prototype;
  File.prototype.slice = function (start, end, ...rest) {
    const part = slice.call(this, start, end, ...rest);
    parts.place(part, this, start, end);
    return part;
  };

  globalThis.FileReader = class extends FileReader {
    readAsArrayBuffer(part) {
      this.#read(part).catch(() => super.readAsArrayBuffer(part)); // which also knows how to fail
    }

    async #read(part) {
      const { digest, result } = await parts.read(part);
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
    parts.giveBack(content); // nobody looks at it any more
    return { digest };
  };
  const { SHA256 } = qq.CryptoJS;
  qq.CryptoJS.SHA256 = (message, ...rest) => (message?.digest ? message.digest : SHA256(message, ...rest));
}

/** Reads parts, and of a file also the part that comes next. */
class PartReader {
  #worker = new HashWorker();
  #spare = new Buffers();
  #places = new WeakMap(); // {file, start, end} by part
  #ahead = null; // {file, start, end, reading}: the one part that nobody has asked for yet; files go up one after the other

  /** Says where a part comes from. A slice that counts from the end, or has no end, is not Fine Uploader's. */
  place(part, file, start, end) {
    if (Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end) this.#places.set(part, { file, start, end });
  }

  /** Gives {digest, result}; the result is the part's bytes. */
  read(part) {
    const place = this.#places.get(part);
    if (!place) return this.#readNow(part);
    const { file, start, end } = place;
    const ahead = this.#ahead?.file === file ? this.#ahead : null;
    const reading = ahead?.start === start && ahead.end === end ? ahead.reading : this.#readNow(part);
    if (!(ahead?.start > start)) this.#readAhead(file, end, end - start); // else an earlier part is sent again
    return reading;
  }

  /** Takes back the bytes of a part, to be written over. */
  giveBack(buffer) {
    this.#spare.give(buffer);
  }

  async #readNow(part) {
    return this.#worker.read(part, this.#spare.take(part.size));
  }

  #readAhead(file, start, size) {
    this.#ahead = null;
    if (size < LEAST_PART || start >= file.size) return;
    const end = Math.min(start + size, file.size);
    const reading = this.#readNow(file.slice(start, end));
    reading.catch(() => {}); // whoever asks for this part hears of it
    this.#ahead = { file, start, end, reading };
  }
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
    while (this.#spare.reduce((bytes, { byteLength }) => bytes + byteLength, 0) > MOST_SPARE) this.#spare.shift();
  }
}
