// One tab at a time for an upload: two that send the same file's parts end each other's upload.
//
// The browser's locks end with their page, whatever becomes of it. Where there are none (a page that came over plain
// HTTP from another machine is no secure context) every tab goes its own way.

const prefix = "s3-sign-srv upload ";

export class Tabs {
  #release = new Map(); // by the upload's uuid
  #last = Promise.resolve();

  /** Takes the upload for this tab; false if another one has it. Answers come in the order of the calls. */
  take(uuid) {
    return (this.#last = this.#last.then(() => this.#lock(uuid)));
  }

  #lock(uuid) {
    if (!navigator.locks || this.#release.has(uuid)) return true;
    return new Promise((resolve) => {
      navigator.locks.request(prefix + uuid, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise((release) => this.#release.set(uuid, release));
      }).catch(() => resolve(true));
    });
  }

  letGo(uuid) {
    this.#release.get(uuid)?.();
    this.#release.delete(uuid);
  }

  /** The uuids of the uploads that a tab has, this one or another. */
  async taken() {
    const { held = [] } = (await navigator.locks?.query().catch(() => {})) ?? {}; // some browsers refuse where they keep no data
    return new Set(held.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name.slice(prefix.length)));
  }
}
