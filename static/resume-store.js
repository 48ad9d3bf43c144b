// Keeps Fine Uploader's resume records of half-uploaded files safe from a browser crash.
//
// Fine Uploader writes them to localStorage, which Chromium saves to disk up to a minute later, so a browser that is
// killed loses the latest ones. IndexedDB is saved at once, so a copy is kept there. If the browser does not store
// data for the page, there are no records and uploads still work.

const prefix = "qqs3resume"; // Fine Uploader's
const DAY = 24 * 60 * 60 * 1000;

export class ResumeStore {
  #copy = new Map(); // the content of IndexedDB as far as this page knows
  #database = null; // a promise of it, once it is needed
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

  /** Restores records that localStorage has lost. */
  async restore() {
    try {
      for (const [key, text] of await this.#read()) {
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
    await this.#write(changed, removed).catch(() => {});
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
   * Returns one such file, or undefined. It also has parts, those that are stored as {number, etag}, and digests, from
   * content-check.js.
   */
  find(uuid) {
    const candidates = entries().filter(([, text]) => text.includes(uuid)); // parsing 10,000 parts is slow
    const record = candidates.map(([, text]) => parse(text)).find((candidate) => candidate?.uuid === uuid);
    if (!record) return undefined;
    const parts = (record.chunking.etags ?? []).map(({ part, etag }) => ({ number: part, etag }));
    return { ...summarize(record), parts, digests: record.customResumeData?.sha256 };
  }

  remove(uuid) {
    for (const [key, text] of entries()) if (parse(text)?.uuid === uuid) localStorage.removeItem(key);
    return this.save();
  }

  async #read() {
    const database = await (this.#database ??= openDatabase());
    const records = database.transaction("records").objectStore("records");
    const [keys, texts] = await Promise.all([result(records.getAllKeys()), result(records.getAll())]);
    return keys.map((key, i) => [key, texts[i]]);
  }

  async #write(changed, removed) {
    const database = await (this.#database ??= openDatabase());
    const transaction = database.transaction("records", "readwrite", { durability: "strict" });
    const records = transaction.objectStore("records");
    for (const [key, text] of changed) records.put(text, key);
    for (const key of removed) records.delete(key);
    await new Promise((resolve, reject) => Object.assign(transaction, { oncomplete: resolve, onabort: reject }));
  }
}

async function openDatabase() {
  const opening = indexedDB.open("s3-sign-srv", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("records");
  return result(opening);
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
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
