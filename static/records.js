// Fine Uploader's records of half-uploaded files, kept where a crash does not reach them.
//
// It keeps them in localStorage, which Chromium writes to the disk up to a minute late: a browser that is killed has
// forgotten its latest uploads, or parts of them. IndexedDB is written at once, so a copy is kept there. Where a browser
// keeps nothing for this page, there are no records, and uploads work all the same.

const prefix = "qqs3resume";
const DAY = 24 * 60 * 60 * 1000;

export class Records {
  #copy = new Map(); // what IndexedDB has, as far as this page knows
  #database = null;
  #writing = null;
  #life;

  /** resume: Fine Uploader's options; its records live seven days unless they say otherwise. */
  constructor({ recordsExpireIn = 7 } = {}) {
    this.#life = recordsExpireIn * DAY;
  }

  /** Takes away what cannot be read as a record, which would keep Fine Uploader from starting. */
  clean() {
    for (const [key, text] of entries()) if (!parse(text)) localStorage.removeItem(key);
  }

  /** Brings back what localStorage has lost. */
  async restore() {
    try {
      for (const [key, text] of await this.#read()) {
        this.#copy.set(key, text);
        const fresh = Date.now() - time(text) < this.#life;
        if (fresh && time(text) > time(localStorage.getItem(key))) localStorage.setItem(key, text);
      }
    } catch {
      // no IndexedDB, or localStorage is full
    }
  }

  /** Copies what Fine Uploader has changed, once it is through with what it is doing: one write after the other. */
  save() {
    this.#writing ??= this.#saveAll().finally(() => { this.#writing = null; });
    return this.#writing;
  }

  async #saveAll() {
    for (let again = true; again; ) {
      await null;
      again = await this.#saveOnce();
    }
  }

  /** Whether there was something to save. */
  async #saveOnce() {
    const now = new Map(entries());
    const changed = [...now].filter(([key, text]) => this.#copy.get(key) !== text);
    const gone = [...this.#copy.keys()].filter((key) => !now.has(key));
    this.#copy = now;
    if (changed.length + gone.length === 0) return false;
    await this.#write(changed, gone).catch(() => {});
    return true;
  }

  /** The files left half uploaded to where conf leads: {uuid, name, key, uploadId, share}, where share of 1 is stored. */
  unfinished({ request, resume }) {
    const place = [request.endpoint, resume?.owner ?? []].flat(); // the server adds the owner
    return entries()
      .filter(([key, text]) => parse(text) && place.every((part) => `${key}-`.includes(`-${part}-`)))
      .map(([, text]) => summary(JSON.parse(text)));
  }

  /** The same of one file, if there is a record of it. */
  of(uuid) {
    const likely = entries().filter(([, text]) => text.includes(uuid)); // of 10,000 parts, a record takes long to parse
    const record = likely.map(([, text]) => parse(text)).find((each) => each?.uuid === uuid);
    return record && summary(record);
  }

  /** Takes the file's record away. */
  forget(uuid) {
    for (const [key, text] of entries()) if (parse(text)?.uuid === uuid) localStorage.removeItem(key);
    return this.save();
  }

  async #read() {
    const records = (await this.#open()).transaction("records").objectStore("records");
    const [keys, texts] = await Promise.all([result(records.getAllKeys()), result(records.getAll())]);
    return keys.map((key, i) => [key, texts[i]]);
  }

  async #write(changed, gone) {
    const transaction = (await this.#open()).transaction("records", "readwrite", { durability: "strict" });
    const records = transaction.objectStore("records");
    for (const [key, text] of changed) records.put(text, key);
    for (const key of gone) records.delete(key);
    await new Promise((resolve, reject) => Object.assign(transaction, { oncomplete: resolve, onabort: reject }));
  }

  #open() {
    return (this.#database ??= openDatabase());
  }
}

async function openDatabase() {
  const opening = indexedDB.open("s3-sign-srv", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("records");
  return result(opening);
}

function entries() {
  try {
    return Object.entries(localStorage).filter(([key]) => key.startsWith(prefix));
  } catch {
    return []; // the browser keeps nothing for this page
  }
}

/** What Fine Uploader wrote, or null where it is no record. */
function parse(text) {
  try {
    const record = JSON.parse(text);
    return Array.isArray(record.chunking.remaining) && record.lastUpdated > 0 ? record : null;
  } catch {
    return null;
  }
}

function summary({ uuid, name, key, chunking, loaded, size }) {
  return { uuid, name, key, uploadId: chunking.uploadId, share: loaded / size };
}

/** When a record was written, in ms; -1 for none. */
function time(text) {
  return parse(text)?.lastUpdated ?? -1;
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
