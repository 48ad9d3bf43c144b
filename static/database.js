// Records in IndexedDB, which survive a browser that is killed. Chromium saves localStorage up to a minute later.

/** An IndexedDB database of records by key. All methods reject if the browser stores no data for this page. */
export class Database {
  #name;
  #opening = null; // a promise, once it is needed

  constructor(name) {
    this.#name = name;
  }

  /** Returns all records as [key, record]. */
  async readAll() {
    const records = (await this.#open()).transaction("records").objectStore("records");
    const [keys, values] = await Promise.all([result(records.getAllKeys()), result(records.getAll())]);
    return keys.map((key, i) => [key, values[i]]);
  }

  async has(key) {
    const records = (await this.#open()).transaction("records").objectStore("records");
    return (await result(records.count(key))) > 0;
  }

  /** Writes records, given as [key, record], and removes keys. durability is IndexedDB's. */
  async write(changed, removed, durability) {
    const transaction = (await this.#open()).transaction("records", "readwrite", { durability });
    const records = transaction.objectStore("records");
    for (const [key, record] of changed) records.put(record, key);
    for (const key of removed) records.delete(key);
    await new Promise((resolve, reject) => Object.assign(transaction, { oncomplete: resolve, onabort: reject }));
  }

  /** Opens the database again after an error. */
  #open() {
    const reset = () => { this.#opening = null; };
    this.#opening ??= open(this.#name, reset).catch((err) => {
      reset();
      throw err;
    });
    return this.#opening;
  }
}

/** The browser calls onclose if it closes the database by itself. */
async function open(name, onclose) {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("records");
  return Object.assign(await result(opening), { onclose });
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
