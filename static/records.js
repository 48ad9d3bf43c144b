// Fine Uploader's records of half-uploaded files, kept where a crash does not reach them.
//
// It keeps them in localStorage, which Chromium writes to the disk up to a minute late: a browser that is killed has
// forgotten its latest uploads, or parts of them. IndexedDB is written at once, so a copy is kept there.

const prefix = "qqs3resume";

export class Records {
  #copy = new Map(); // what IndexedDB has, as far as this page knows
  #database = null;

  /** Brings back what localStorage has lost. Without IndexedDB, nothing. */
  async restore() {
    try {
      for (const [key, text] of await this.#read()) {
        this.#copy.set(key, text);
        if (time(text) > time(localStorage.getItem(key))) localStorage.setItem(key, text);
      }
    } catch {
      // the browser keeps nothing for this page
    }
  }

  /** Copies what Fine Uploader has changed, once it is through with what it is doing. */
  async save() {
    await null;
    const now = new Map(entries());
    const changed = [...now].filter(([key, text]) => this.#copy.get(key) !== text);
    const gone = [...this.#copy.keys()].filter((key) => !now.has(key));
    this.#copy = now;
    if (changed.length + gone.length > 0) await this.#write(changed, gone).catch(() => {});
  }

  /** The files left half uploaded to where conf leads: {uuid, name, share}, where share of 1 is stored. */
  unfinished({ request, resume }) {
    const place = [request.endpoint, ...(resume?.customKeys?.() ?? [])];
    return entries()
      .filter(([key]) => place.every((part) => `${key}-`.includes(`-${part}-`)))
      .map(([, text]) => JSON.parse(text))
      .map(({ uuid, name, loaded, size }) => ({ uuid, name, share: loaded / size }));
  }

  async #read() {
    const records = (await this.#open()).transaction("records").objectStore("records");
    const [keys, texts] = await Promise.all([result(records.getAllKeys()), result(records.getAll())]);
    return keys.map((key, i) => [key, texts[i]]);
  }

  async #write(changed, gone) {
    const records = (await this.#open()).transaction("records", "readwrite", { durability: "strict" }).objectStore("records");
    for (const [key, text] of changed) records.put(text, key);
    for (const key of gone) records.delete(key);
  }

  #open() {
    return (this.#database ??= openDatabase());
  }
}

function openDatabase() {
  const opening = indexedDB.open("s3-sign-srv", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("records");
  return result(opening);
}

function entries() {
  return Object.entries(localStorage).filter(([key]) => key.startsWith(prefix));
}

/** When a record was written, in ms; -1 for none. */
function time(text) {
  return text === null ? -1 : JSON.parse(text).lastUpdated;
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
