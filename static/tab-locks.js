// Locks that keep two browser tabs from uploading the same file, since each would abort the upload of the other.
//
// The browser releases the locks of a page when the page ends. Without navigator.locks, which needs a secure context,
// there is no locking.

const prefix = "s3-sign-srv upload ";

export class TabLocks {
  #releases = new Map(); // by upload uuid
  #last = Promise.resolve();

  /** Locks an upload for this tab; false if another tab has it. Calls are answered in order. */
  acquire(uuid) {
    return (this.#last = this.#last.then(() => this.#request(uuid)));
  }

  #request(uuid) {
    if (!navigator.locks || this.#releases.has(uuid)) return true;
    return new Promise((resolve) => {
      navigator.locks.request(prefix + uuid, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise((release) => this.#releases.set(uuid, release));
      }).catch(() => resolve(true));
    });
  }

  release(uuid) {
    this.#releases.get(uuid)?.();
    this.#releases.delete(uuid);
  }

  /** Returns the uuids that other tabs have locked. */
  async heldElsewhere() {
    // Some browsers reject the query if they may not store data for the page.
    const { held = [] } = (await navigator.locks?.query().catch(() => {})) ?? {};
    const uuids = held.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name.slice(prefix.length));
    return new Set(uuids.filter((uuid) => !this.#releases.has(uuid)));
  }
}
