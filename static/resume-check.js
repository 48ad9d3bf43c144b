// Checks that a file which resumes an upload of an earlier visit is the file whose parts are stored.
//
// Fine Uploader recognizes a file by its name and size, and page.js adds the time of its last change. Two different
// files can have all three in common, and the object would have parts of both. So the stored parts are compared with
// the file before the upload goes on: by SHA-256, which version 4 needs for each part and which is kept in the resume
// record, or else by MD5, which most stores return as the ETag of a part.

const DIGEST_LENGTH = 32; // hex digits that are kept of a SHA-256, since a file can have 10,000 parts

export class ResumeCheck {
  #hasher;
  #showShare;
  #uploader;
  #digests = new Map(); // by file id: the SHA-256 of parts, by index
  #resumed = new Map(); // by file id: {parts, checking, result}
  #starts = new Map(); // by file id: the latest start of the upload

  /** hasher is from hash.js; showShare(id, share) shows how much is compared, from 0 to 1, and null at the end. */
  constructor(hasher, showShare) {
    this.#hasher = hasher;
    this.#showShare = showShare;
  }

  attach(uploader) {
    this.#uploader = uploader;
  }

  /** To be called for each submitted file. record is from a ResumeStore, or undefined if the file is not resumed. */
  fileSubmitted(id, record) {
    this.#digests.set(id, record?.digests ?? []);
    this.#resumed.delete(id);
    if (record) this.#resumed.set(id, { parts: record.parts, checking: null, result: null });
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

  /** For onUpload. Returns a promise that delays a resumed file until it is checked, and that a pause or cancel ends. */
  run(id) {
    const file = this.#resumed.get(id);
    if (!file || file.result) return undefined;
    const start = {};
    this.#starts.set(id, start);
    file.checking ??= this.#check(id, file).finally(() => { file.checking = null; });
    const ifCurrent = (settle) => (value) => {
      if (this.#starts.get(id) === start && this.#hasStatus(id, "uploading")) settle(value);
    };
    return new Promise((resolve, reject) => file.checking.then(ifCurrent(resolve), ifCurrent(reject)));
  }

  /** The result for a resumed file: "same", "different", or "unknown" if the parts cannot be compared. */
  result(id) {
    return this.#resumed.get(id)?.result ?? "unknown";
  }

  /** Stops at the first part that differs. Rejects if the file cannot be read. */
  async #check(id, file) {
    const content = this.#uploader.getFile(id);
    const { partSize } = this.#uploader._options.chunking;
    const size = typeof partSize === "function" ? partSize(id, content.size) : partSize;
    for (const [count, part] of file.parts.entries()) {
      this.#showShare(id, count / file.parts.length);
      const start = (part.number - 1) * size;
      const result = await this.#compare(content.slice(start, Math.min(start + size, content.size)), part, id);
      if (this.#hasStatus(id, "canceled")) return;
      if (result === "same") continue;
      file.result = result;
      break;
    }
    file.result ??= "same";
    this.#showShare(id, null);
  }

  async #compare(content, { number, etag }, id) {
    const sha256 = this.#digests.get(id)[number - 1];
    const md5 = /^"?([0-9a-f]{32})"?$/i.exec(etag)?.[1].toLowerCase();
    if (!sha256 && !md5) return "unknown";
    const digest = await this.#hasher.hash(content, sha256 ? "sha256" : "md5").catch(() => null);
    if (digest) return digest.slice(0, DIGEST_LENGTH) === (sha256 ?? md5) ? "same" : "different";
    await content.slice(0, 1).arrayBuffer().catch(() => { throw unreadable; });
    return "unknown"; // there is no worker
  }

  #hasStatus(id, status) {
    return this.#uploader.getUploads({ id })?.status === status;
  }
}

/** Fine Uploader's error for a part that cannot be read, which retries.js recognizes. */
const unreadable = { responseJSON: { error: "Problem signing the chunk!" } };
