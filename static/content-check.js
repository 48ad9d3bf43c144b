// Checks that what is stored is the content of the file.
//
// A file that resumes an upload of an earlier visit may be another one: Fine Uploader recognizes it by name and size,
// and page.js adds the time of the last change, but different files can have all three in common. So the stored parts
// are compared with the file before the upload goes on: by SHA-256, which version 4 needs for each part and which is
// kept in the resume record, or else by MD5, which most stores return as the ETag of a part. On some stores the ETag of
// an encrypted part only looks like an MD5. So a difference counts only if another part of the file had its MD5 as ETag.
//
// A file may also change while it waits or is uploaded. Chromium then refuses to read it. Firefox reads what is there
// now, up to the size that the file had when it was chosen. There all parts are compared before they are combined.

import { wrapMethod } from "./intercept.js";
import { comparisonFailed, unreadableFile } from "./messages.js";

const DIGEST_LENGTH = 32; // hex digits that are kept of a SHA-256, since a file can have 10,000 parts

/** False in Firefox, which this property is peculiar to. */
const browserDetectsChanges = () => !("mozInnerScreenX" in globalThis);

export class ContentCheck {
  #hasher;
  #parts;
  #isInParts;
  #showProgress;
  #uploader;
  #setError;
  #digests = new Map(); // by file id: the SHA-256 of parts, by index
  #etagsAreMD5 = new Map(); // by file id: a promise of whether a part had its MD5 as ETag
  #resumed = new Map(); // by file id: {parts, comparing, result}
  #latestCheck = new Map(); // by file id
  #checked = new Map(); // by file id: the id of the upload whose parts were compared before they are combined

  /**
   * hasher is from hash.js, parts a PartSizes; isInParts(id) tells whether a file is uploaded in parts.
   * setError(id, sentence) sets the error of a file. showProgress(id, share) shows how much is compared, from 0 to 1,
   * and null at the end.
   */
  constructor(qq, { hasher, parts, isInParts, setError, showProgress }) {
    this.#hasher = hasher;
    this.#parts = parts;
    this.#isInParts = isInParts;
    this.#setError = setError;
    this.#showProgress = showProgress;
    wrapMethod(qq, "CompleteMultipartAjaxRequester", "send", (send) => (id, uploadId, etags) => {
      if (browserDetectsChanges() || this.#checked.get(id) === uploadId) return send(id, uploadId, etags);
      const parts = etags.map(({ part, etag }) => ({ number: part, etag }));
      const result = new qq.Promise();
      this.#dropIfOutdated(id, this.#compareAll(id, parts)).then(
        () => {
          this.#checked.set(id, uploadId);
          send(id, uploadId, etags).then(result.success, result.failure);
        },
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
    this.#etagsAreMD5.set(id, Promise.resolve(record?.etagsAreMD5));
    this.#resumed.delete(id);
    if (record) this.#resumed.set(id, { parts: record.parts, comparing: null, result: null });
  }

  /** To be called for each stored part, before Fine Uploader writes the resume record. */
  partStored(id, { partIndex, startByte, endByte }, etag) {
    const file = this.#uploader.getFile(id);
    const digest = this.#hasher.digest(file, startByte - 1, endByte);
    if (!digest) return this.#compareETag(id, file.slice(startByte - 1, endByte), md5Of(etag)); // version 2
    const digests = this.#digests.get(id);
    digests[partIndex] = digest.slice(0, DIGEST_LENGTH);
    this.#addToRecord(id, { sha256: digests });
  }

  /** Hashes stored parts until one has its MD5 as ETag. */
  #compareETag(id, content, md5) {
    const earlier = this.#etagsAreMD5.get(id);
    const compare = async () => {
      if (!md5 || (await earlier)) return earlier;
      const isEqual = (await this.#hasher.hash(content, "md5")) === md5;
      if (isEqual) this.#addToRecord(id, { etagsAreMD5: true });
      return isEqual;
    };
    this.#etagsAreMD5.set(id, compare().catch(() => earlier));
  }

  /** Fine Uploader writes the resume record with the next stored part. */
  #addToRecord(id, data) {
    const others = this.#uploader._customResumeDataStore.get(id); // also the user's
    this.#uploader.setCustomResumeData(id, { ...others, ...data });
  }

  /**
   * For onUpload. Rejects if the file was changed or removed, or cannot be compared now. Never settles if the file is
   * paused or cancelled.
   */
  start(id) {
    return this.#dropIfOutdated(id, this.#checkStart(id));
  }

  /** The result for a resumed file: "same", "different", or "unknown" if the parts cannot be compared. */
  result(id) {
    return this.#resumed.get(id)?.result ?? "unknown";
  }

  #dropIfOutdated(id, check) {
    this.#latestCheck.set(id, check);
    const isCurrent = () => this.#latestCheck.get(id) === check && !this.#hasStatus(id, "paused", "canceled");
    return new Promise((resolve, reject) => {
      check.then(() => isCurrent() && resolve(), (error) => {
        if (!isCurrent()) return;
        this.#setError(id, error === noDigest ? comparisonFailed : unreadableFile);
        reject();
      });
    });
  }

  async #checkStart(id) {
    const file = this.#uploader.getFile(id);
    await file.slice(0, 1).arrayBuffer(); // rejects in a browser that detects changes
    if (!this.#isInParts(id) && !browserDetectsChanges()) await checkSize(file);
    const resumed = this.#resumed.get(id);
    if (!resumed || resumed.result) return;
    resumed.comparing ??= this.#compare(id, resumed.parts).finally(() => {
      resumed.comparing = null;
      this.#showProgress(id, null);
    });
    resumed.result = await resumed.comparing;
  }

  async #compareAll(id, parts) {
    const file = this.#uploader.getFile(id);
    try {
      if ((await this.#compare(id, parts)) === "different") throw changed;
      await checkSize(file, (size) => {
        this.#showProgress(id, size / file.size);
        return !this.#hasStatus(id, "canceled");
      });
    } finally {
      this.#showProgress(id, null);
    }
  }

  /** Stops at the first part that differs. Rejects if the file cannot be read. */
  async #compare(id, parts) {
    let result = "same";
    for (const [count, part] of parts.entries()) {
      this.#showProgress(id, count / parts.length);
      const content = this.#parts.content(id, part.number - 1);
      result = await this.#comparePart(id, content, md5Of(part.etag), this.#digests.get(id)[part.number - 1]);
      if (result !== "same" || this.#hasStatus(id, "canceled")) break;
    }
    return result;
  }

  async #comparePart(id, content, md5, sha256) {
    if (!sha256 && !md5) return "unknown";
    const digest = await this.#hasher.hash(content, sha256 ? "sha256" : "md5").catch(() => null);
    if (!digest) {
      await checkSize(content);
      throw noDigest;
    }
    const isEqual = digest.slice(0, DIGEST_LENGTH) === (sha256 ?? md5);
    if (isEqual && !sha256) this.#etagsAreMD5.set(id, Promise.resolve(true));
    if (isEqual) return "same";
    return sha256 || (await this.#etagsAreMD5.get(id)) ? "different" : "unknown";
  }

  #hasStatus(id, ...statuses) {
    return statuses.includes(this.#uploader.getUploads({ id })?.status);
  }
}

const changed = new Error("the file was changed");
const noDigest = new Error("the worker or its hash function did not load");

/** Returns the MD5 that an ETag may be, or undefined. */
function md5Of(etag) {
  return /^"?([0-9a-f]{32})"?$/i.exec(etag)?.[1].toLowerCase();
}

/**
 * Rejects if the file cannot be read or has another size now. In Firefox, only a stream of it shows what was added. It
 * stops if goOn(size), called with the size that is read so far, returns false.
 */
async function checkSize(file, goOn = () => true) {
  const reader = file.stream().getReader();
  let size = 0;
  for (let read = await reader.read(); !read.done && size <= file.size && goOn(size); read = await reader.read()) {
    size += read.value.byteLength;
  }
  if (size !== file.size) throw changed;
}
