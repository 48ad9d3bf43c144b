// SHA-256 of the parts by the browser's own code, off the main thread.
//
// Under version 4 Fine Uploader hashes every part with CryptoJS, which takes longer than a fast network takes to carry
// the part, and the page stands still meanwhile. It reads the part with a FileReader, makes a WordArray of the result
// and asks CryptoJS for the digest, all within one event. So a FileReader that reads an ArrayBuffer holds that event
// back until crypto.subtle has the digest, and CryptoJS then only looks it up. The digest is the same.

/**
 * Lets crypto.subtle do the hashing from here on. Where there is none (a page that came over plain HTTP from another
 * machine is no secure context) or it fails, CryptoJS does, as ever.
 */
export function hashNatively(qq, { subtle } = globalThis.crypto ?? {}) {
  if (!subtle) return;
  const digests = new WeakMap(); // of ArrayBuffers, in lower-case hex

  globalThis.FileReader = class extends FileReader {
    constructor() {
      super();
      this.addEventListener("loadend", (event) => { // the first listener, before any onloadend
        const buffer = this.result;
        if (!(buffer instanceof ArrayBuffer) || digests.has(buffer)) return;
        event.stopImmediatePropagation();
        subtle.digest("SHA-256", buffer)
          .then((digest) => digests.set(buffer, hex(digest)), () => digests.set(buffer, null))
          .then(() => this.dispatchEvent(new ProgressEvent("loadend")));
      });
    }
  };

  const { create } = qq.CryptoJS.lib.WordArray;
  qq.CryptoJS.lib.WordArray.create = function (content, ...rest) {
    const digest = digests.get(content);
    return digest ? { digest } : create.call(this, content, ...rest);
  };
  const { SHA256 } = qq.CryptoJS;
  qq.CryptoJS.SHA256 = (message, ...rest) => (message?.digest ? message.digest : SHA256(message, ...rest));
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
