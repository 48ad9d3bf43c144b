// Checks that what is stored is the content of the file.
//
// A file that resumes an upload of an earlier visit may be another one: Fine Uploader recognizes it by name and size,
// and page.js adds the time of the last change, but different files can have all three in common. So the stored parts
// are compared with the file before the upload goes on: by SHA-256, which version 4 needs for each part and which is
// kept in the resume record, or else by MD5, which most stores return as the ETag of a part.
//
// A file may also change while it waits or is uploaded. Chromium then refuses to read it. Firefox reads what is there
// now, up to the size that the file had when it was chosen. There all parts are compared before they are combined.

import { wrapMethod } from "./intercept.js";
import { unreadableFile } from "./messages.js";

const DIGEST_LENGTH = 32; // hex digits that are kept of a SHA-256, since a file can have 10,000 parts

/** False in Firefox, which this property is peculiar to. */
const reportsChanges = () => !("mozInnerScreenX" in globalThis);

export class ContentCheck {
  #hasher;
  #showShare;
  #uploader;
  #setError;
  #digests = new Map(); // by file id: the SHA-256 of parts, by index
  #resumed = new Map(); // by file id: {parts, comparing, result}
  #latest = new Map(); // by file id: the latest check

  /**
   * hasher is from hash.js. setError(id, sentence) sets the error of a file. showShare(id, share) shows how much is
   * compared, from 0 to 1, and null at the end.
   */
  constructor(qq, hasher, setError, showShare) {
    this.#hasher = hasher;
    this.#setError = setError;
    this.#showShare = showShare;
    wrapMethod(qq, "CompleteMultipartAjaxRequester", "send", (send) => (id, uploadId, etags) => {
      if (reportsChanges()) return send(id, uploadId, etags);
      const parts = etags.map(({ part, etag }) => ({ number: part, etag }));
      const result = new qq.Promise();
      this.#ifCurrent(id, this.#compareAll(id, parts)).then(
        () => { send(id, uploadId, etags).then(result.success, result.failure); },
        () => { result.failure("", new XMLHttpRequest()); },
      );
      return result;
    });
  }

  attach(uploader) {
    this.#uploader = uploader;
  }

  /** To be called for each submitted file. record is from a ResumeStore, or undefined if the file is not resumed. */
  fileSubmitted(id, record) {
    this.#digests.set(id, record?.digests ?? []);
    this.#resumed.delete(id);
    if (record) this.#resumed.set(id, { parts: record.parts, comparing: null, result: null });
  }

  /** To be called for each stored part, before Fine Uploader writes the resume record. */
  partStored(id, { partIndex, startByte, endByte }) {
    const digest = this.#hasher.digest(this.#uploader.getFile(id), startByte - 1, endByte);
    if (!digest) return; // version 2
    const digests = this.#digests.get(id);
    digests[partIndex] = digest.slice(0, DIGEST_LENGTH);
    const others = this.#uploader._customResumeDataStore.get(id); // the user's
    this.#uploader.setCustomResumeData(id, { ...others, sha256: digests });
  }

  /** For onUpload. Rejects if the file was changed or removed. Never settles if the file is paused or cancelled. */
  start(id) {
    return this.#ifCurrent(id, this.#checkStart(id));
  }

  /** The result for a resumed file: "same", "different", or "unknown" if the parts cannot be compared. */
  result(id) {
    return this.#resumed.get(id)?.result ?? "unknown";
  }

  #ifCurrent(id, check) {
    this.#latest.set(id, check);
    const isCurrent = () => this.#latest.get(id) === check && !this.#hasStatus(id, "paused", "canceled");
    return new Promise((resolve, reject) => {
      check.then(() => isCurrent() && resolve(), () => {
        if (!isCurrent()) return;
        this.#setError(id, unreadableFile);
        reject();
      });
    });
  }

  async #checkStart(id) {
    const file = this.#uploader.getFile(id);
    await file.slice(0, 1).arrayBuffer(); // rejects in a browser that reports changes
    const inParts = this.#uploader._options.chunking.enabled && file.size > this.#partSize(id, file);
    if (!inParts && !reportsChanges()) await checkSize(file);
    const resumed = this.#resumed.get(id);
    if (!resumed || resumed.result) return;
    resumed.comparing ??= this.#compare(id, resumed.parts).finally(() => { resumed.comparing = null; });
    resumed.result = await resumed.comparing;
  }

  async #compareAll(id, parts) {
    if ((await this.#compare(id, parts)) === "different") throw changed;
    await checkSize(this.#uploader.getFile(id));
  }

  /** Stops at the first part that differs. Rejects if the file cannot be read. */
  async #compare(id, parts) {
    const file = this.#uploader.getFile(id);
    const size = this.#partSize(id, file);
    let result = "same";
    for (const [count, part] of parts.entries()) {
      this.#showShare(id, count / parts.length);
      const start = (part.number - 1) * size;
      const content = file.slice(start, Math.min(start + size, file.size));
      result = await this.#comparePart(content, part, this.#digests.get(id)[part.number - 1]);
      if (result !== "same" || this.#hasStatus(id, "canceled")) break;
    }
    this.#showShare(id, null);
    return result;
  }

  async #comparePart(content, { etag }, sha256) {
    const md5 = /^"?([0-9a-f]{32})"?$/i.exec(etag)?.[1].toLowerCase();
    if (!sha256 && !md5) return "unknown";
    const digest = await this.#hasher.hash(content, sha256 ? "sha256" : "md5").catch(() => null);
    if (digest) return digest.slice(0, DIGEST_LENGTH) === (sha256 ?? md5) ? "same" : "different";
    await checkSize(content);
    return "unknown"; // there is no worker
  }

  #partSize(id, file) {
    const { partSize } = this.#uploader._options.chunking;
    return typeof partSize === "function" ? partSize(id, file.size) : partSize;
  }

  #hasStatus(id, ...statuses) {
    return statuses.includes(this.#uploader.getUploads({ id })?.status);
  }
}

const changed = new Error("the file was changed");

/** Rejects if the file cannot be read or has another size now. In Firefox, only a stream of it shows what was added. */
async function checkSize(file) {
  const reader = file.stream().getReader();
  let size = 0;
  for (let read = await reader.read(); !read.done && size <= file.size; read = await reader.read()) {
    size += read.value.byteLength;
  }
  if (size !== file.size) throw changed;
}
