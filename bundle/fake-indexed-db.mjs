// An IndexedDB with one store of records, as far as database.js uses it. Responses come in a later turn of the event loop.
// The tests need it to fail and to hang; e2e uses the browsers' own.

/** fail: the number of times that open fails first. hang: no request gets a response. */
export class FakeIndexedDB {
  records = new Map();
  opened = 0;
  fail = 0;
  hang = false;

  open() {
    this.opened++;
    if (this.fail-- > 0) return this.#request(() => { throw new Error("open failed"); });
    this.database = { transaction: () => this.#transaction() };
    return this.#request(() => this.database);
  }

  #transaction() {
    const transaction = {
      objectStore: () => ({
        getAllKeys: () => this.#request(() => [...this.records.keys()]),
        count: (key) => this.#request(() => (this.records.has(key) ? 1 : 0)),
        getAll: () => this.#request(() => [...this.records.values()]),
        put: (record, key) => this.records.set(key, record),
        delete: (key) => this.records.delete(key),
      }),
    };
    if (!this.hang) setImmediate(() => transaction.oncomplete?.());
    return transaction;
  }

  #request(respond) {
    const request = {};
    const settle = () => {
      try {
        request.result = respond();
      } catch (error) {
        request.error = error;
        return request.onerror();
      }
      request.onsuccess();
    };
    if (!this.hang) setImmediate(settle);
    return request;
  }
}
