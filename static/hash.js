// Calculates the SHA-256 of parts in a worker: with crypto.subtle or, where the browser does not offer it (a page that
// was loaded over plain HTTP from another machine), with WebAssembly.
//
// Under signature version 4 Fine Uploader hashes each part with CryptoJS, which blocks the page and is slower than a
// fast network. It reads the part with a FileReader, makes a WordArray of the result and hashes it, all in one event.
// So FileReader is replaced by one that finishes only when the worker has the digest, and CryptoJS returns that
// digest.
//
// content-check.js uses the digests too, and lets the worker hash the parts of a file that is resumed.
//
// The worker reads with a stream into reused memory: a FileReader took 80 ms for a part, the stream 20 ms (on the
// slower machine of docs/performance.md).

import { wrapMethod } from "./intercept.js";

const MAX_READS = 2; // parts that are in memory at the same time
const MAX_POOL_SIZE = 64 * 1024 * 1024; // bytes; two of the largest parts

/**
 * Makes Fine Uploader hash in a worker. If there is no worker, or it fails, CryptoJS calculates the digest. Returns a
 * PartReader.
 */
export function hashInWorker(qq) {
  const digests = new WeakMap(); // by ArrayBuffer, in lower-case hex
  const parts = new PartReader();

  const { slice } = File.prototype;
  File.prototype.slice = function (start, end, ...rest) {
    const part = slice.call(this, start, end, ...rest);
    parts.setSource(part, this, start, end);
    return part;
  };

  globalThis.FileReader = class extends FileReader {
    readAsArrayBuffer(part) {
      this.#read(part).catch(() => super.readAsArrayBuffer(part)); // which reports read errors
    }

    async #read(part) {
      const { digest, result } = await parts.read(part);
      digests.set(result, digest);
      const property = (value) => ({ value, configurable: true });
      Object.defineProperties(this, { result: property(result), readyState: property(FileReader.DONE) });
      for (const event of ["load", "loadend"]) this.dispatchEvent(new ProgressEvent(event));
    }
  };

  const { create } = qq.CryptoJS.lib.WordArray;
  qq.CryptoJS.lib.WordArray.create = function (content, ...rest) {
    const digest = digests.get(content);
    if (!digest) return create.call(this, content, ...rest);
    digests.delete(content);
    parts.pool.release(content);
    return { digest };
  };
  const { SHA256 } = qq.CryptoJS;
  qq.CryptoJS.SHA256 = (message, ...rest) => (message?.digest ? message.digest : SHA256(message, ...rest));
  return parts;
}

/**
 * Makes Fine Uploader send parts under version 4 without their SHA-256, so that they are not hashed. Call it after
 * hashInWorker, which makes CryptoJS return the digest that a part has already.
 */
export function omitPartDigests(qq) {
  wrapMethod(qq, "RequestSigner", "constructStringToSign", (construct) => function (operation, ...rest) {
    const request = construct.call(this, operation, ...rest);
    if (operation === this.REQUEST_TYPE.MULTIPART_UPLOAD) {
      const { withContent } = request;
      request.withContent = () => withContent.call(request, { digest: "UNSIGNED-PAYLOAD" });
    }
    return request;
  });
}

/** Reads and hashes parts. */
class PartReader {
  pool = new BufferPool();
  #worker = new HashWorker();
  #sources = new WeakMap(); // by part: {file, start, end}
  #digests = new WeakMap(); // by file: a Map by range
  #reads = Array(MAX_READS).fill(Promise.resolve()); // the latest ones, oldest first; each begins when the first ends

  /** Records where a part comes from. Other kinds of slices are not Fine Uploader's. */
  setSource(part, file, start, end) {
    const isPart = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end;
    if (isPart) this.#sources.set(part, { file, start, end });
  }

  /** Returns {digest, result}, where result is an ArrayBuffer with the content. */
  async read(part) {
    const reading = await this.#read(part);
    const source = this.#sources.get(part);
    if (source) this.#setDigest(source, reading.digest);
    return reading;
  }

  /** Returns the SHA-256 of a part that was read, or undefined. */
  digest(file, start, end) {
    return this.#digests.get(file)?.get(`${start}-${end}`);
  }

  #setDigest({ file, start, end }, digest) {
    if (!this.#digests.has(file)) this.#digests.set(file, new Map());
    this.#digests.get(file).set(`${start}-${end}`, digest);
  }

  /** Returns a digest of the content in lower-case hex; algorithm is "sha256" or "md5". Rejects without a worker. */
  async hash(content, algorithm) {
    const { digest, result } = await this.#read(content, algorithm);
    this.pool.release(result);
    return digest;
  }

  #read(part, algorithm) {
    const read = () => this.#worker.read(part, this.pool.acquire(part.size), algorithm);
    const reading = this.#reads.shift().then(read);
    this.#reads.push(reading.catch(() => {}));
    return reading;
  }
}

class HashWorker {
  #worker; // null: there is none
  #pending = new Map(); // by id: {resolve, reject}
  #lastId = 0;

  /** The worker loads when the page has started, before it is needed, because the server may be away later. */
  constructor() {
    setTimeout(() => this.#start());
  }

  #start() {
    if (this.#worker !== undefined) return;
    try {
      this.#worker = new Worker(new URL("hash-worker.js", import.meta.url));
      this.#worker.onmessage = ({ data }) => this.#settle(data);
      this.#worker.onerror = () => this.#stop(); // missing, or blocked
    } catch {
      this.#worker = null;
    }
  }

  /** Returns {digest, result}. The worker takes over buffer and returns its memory as result. */
  read(part, buffer, algorithm = "sha256") {
    this.#start();
    if (!this.#worker) return Promise.reject();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, part, buffer, algorithm }, [buffer]);
    });
  }

  #settle({ id, digest, result }) {
    const { resolve, reject } = this.#pending.get(id);
    this.#pending.delete(id);
    if (digest) resolve({ digest, result });
    else reject();
  }

  #stop() {
    this.#worker?.terminate();
    this.#worker = null;
    for (const id of this.#pending.keys()) this.#settle({ id });
  }
}

/** Reuses memory, since allocating it for a part takes longer than hashing the part. */
class BufferPool {
  #buffers = [];

  acquire(size) {
    const i = this.#buffers.findIndex(({ byteLength }) => byteLength === size);
    return i < 0 ? new ArrayBuffer(size) : this.#buffers.splice(i, 1)[0];
  }

  release(buffer) {
    this.#buffers.push(buffer);
    while (this.#buffers.reduce((sum, { byteLength }) => sum + byteLength, 0) > MAX_POOL_SIZE) this.#buffers.shift();
  }
}
