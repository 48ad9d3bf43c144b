// Keeps Fine Uploader's resume records of half-uploaded files safe from a browser crash.
//
// Fine Uploader writes them to localStorage, which Chromium saves to disk up to a minute later, so a browser that is
// killed loses the latest ones. IndexedDB is saved at once, so a copy is kept there. If the browser does not store
// data for the page, there are no records and uploads still work.

import { Database } from "./database.js";

const prefix = "qqs3resume"; // Fine Uploader's
const DAY = 24 * 60 * 60 * 1000;

export class ResumeStore {
  #copy = new Map(); // the content of IndexedDB as far as this page knows
  #database = new Database("s3-sign-srv");
  #saving = null;
  #maxAge; // ms

  /** recordsExpireIn is Fine Uploader's option, in days. */
  constructor({ recordsExpireIn = 7 } = {}) {
    this.#maxAge = recordsExpireIn * DAY;
  }

  /** Removes invalid records, which would keep Fine Uploader from starting. */
  removeInvalid() {
    for (const [key, text] of entries()) if (!parse(text)) localStorage.removeItem(key);
  }

  /** Calls report once when a record cannot be written. Fine Uploader only logs it. */
  onFull(report) {
    const { setItem } = Storage.prototype;
    let reported = false;
    Storage.prototype.setItem = function (key, ...rest) {
      try {
        setItem.call(this, key, ...rest);
      } catch (error) {
        if (!reported && key.startsWith(prefix)) report();
        reported ||= key.startsWith(prefix);
        throw error;
      }
    };
  }

  /** Restores records that localStorage has lost. */
  async restore() {
    try {
      for (const [key, text] of await this.#database.readAll()) {
        this.#copy.set(key, text);
        const isExpired = Date.now() - updatedAt(text) >= this.#maxAge;
        if (!isExpired && updatedAt(text) > updatedAt(localStorage.getItem(key))) localStorage.setItem(key, text);
      }
    } catch {
      // no IndexedDB, or localStorage is full
    }
  }

  /** Copies all changes to IndexedDB. Changes made during a call are included. */
  save() {
    this.#saving ??= this.#saveAll().finally(() => { this.#saving = null; });
    return this.#saving;
  }

  async #saveAll() {
    do await null; // lets Fine Uploader finish what it is doing
    while (await this.#saveChanges());
  }

  /** Returns whether there were changes. */
  async #saveChanges() {
    const current = new Map(entries());
    const changed = [...current].filter(([key, text]) => this.#copy.get(key) !== text);
    const removed = [...this.#copy.keys()].filter((key) => !current.has(key));
    this.#copy = current;
    if (changed.length + removed.length === 0) return false;
    await this.#database.write(changed, removed, "strict").catch(() => {});
    return true;
  }

  /**
   * Returns the half-uploaded files of this endpoint and owner as {uuid, name, key, uploadId, share}, where share is
   * the stored part of the file, from 0 to 1. The server adds resume.owner to the options.
   */
  unfinished({ request, resume }) {
    const required = [request.endpoint, resume?.owner ?? []].flat();
    return entries()
      .filter(([key, text]) => parse(text) && required.every((value) => `${key}-`.includes(`-${value}-`)))
      .map(([, text]) => summarize(JSON.parse(text)));
  }

  /**
   * Returns one such file, or undefined. It also has parts, those that are stored as {number, etag}, and digests and
   * etagsAreMD5, from content-check.js.
   */
  find(uuid) {
    const candidates = entries().filter(([, text]) => text.includes(uuid)); // parsing 10,000 parts is slow
    const record = candidates.map(([, text]) => parse(text)).find((candidate) => candidate?.uuid === uuid);
    if (!record) return undefined;
    const parts = (record.chunking.etags ?? []).map(({ part, etag }) => ({ number: part, etag }));
    const { sha256: digests, etagsAreMD5 } = record.customResumeData ?? {};
    return { ...summarize(record), parts, digests, etagsAreMD5 };
  }

  remove(uuid) {
    for (const [key, text] of entries()) if (parse(text)?.uuid === uuid) localStorage.removeItem(key);
    return this.save();
  }
}

function entries() {
  try {
    return Object.entries(localStorage).filter(([key]) => key.startsWith(prefix));
  } catch {
    return []; // the browser does not store data for this page
  }
}

/** Returns a record as Fine Uploader wrote it, or null if the text is not one. */
function parse(text) {
  try {
    const record = JSON.parse(text);
    return Array.isArray(record.chunking.remaining) && record.lastUpdated > 0 ? record : null;
  } catch {
    return null;
  }
}

function summarize({ uuid, name, key, chunking, loaded, size }) {
  return { uuid, name, key, uploadId: chunking.uploadId, share: loaded / size };
}

/** In ms; -1 if the text is not a record. */
function updatedAt(text) {
  return parse(text)?.lastUpdated ?? -1;
}
