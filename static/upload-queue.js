// Decides which files are uploaded now, and how many parts of a file.
//
// Fine Uploader 5.16.2 has one queue with three places. A file in parts takes all of them, and when it is stored, the
// files behind it follow one after the other. A file that waits for a retry keeps its places. So Fine Uploader's queue
// has no limit here, and this one stands in front of it: files start in the order in which they were added, a file in
// parts when all parts of the one before it are on their way, and a file that waits for a retry has no place.

const MAX_FILES = 12; // that are uploaded at a time; most of the small ones wait for a signature or for their report
const activeStatuses = new Set(["uploading", "upload finalizing"]);

export class UploadQueue {
  #connections;
  #parts;
  #isInParts;
  #waiting = []; // {id, start, result}, ordered by id
  #active = new Set(); // ids of files that have a place
  #starting = []; // {id, index, resolve}: parts that Fine Uploader begins now
  #partOf = null; // the file that Fine Uploader may send another part of, if it compares with its limit now

  /**
   * connections and parts: a Connections and a PartSizes. isInParts(id) tells whether a file is uploaded in parts.
   * Create it before the uploader and after parts.
   */
  constructor(qq, { connections, parts, isInParts }) {
    this.#connections = connections;
    this.#parts = parts;
    this.#isInParts = isInParts;
    this.#replaceLimit(qq);
    allowRequests(qq, MAX_FILES);
  }

  /** To be called for each status change of a file. */
  statusChanged(id, status) {
    if (!activeStatuses.has(status) && this.#active.delete(id)) this.#startNext();
  }

  /**
   * Returns a promise that lets a part be sent. Fine Uploader begins several parts at once, the last one first; here
   * they are sent in their order.
   */
  partStarted(id, index) {
    this.#startNext(); // it may be the last part of its file
    return new Promise((resolve) => {
      if (this.#starting.push({ id, index, resolve }) > 1) return;
      queueMicrotask(() => {
        const parts = this.#starting.splice(0).sort((a, b) => a.id - b.id || a.index - b.index);
        for (const part of parts) part.resolve();
      });
    });
  }

  #replaceLimit(qq) {
    const { UploadHandlerController, XhrUploadHandler } = qq;
    const queue = this;
    // Fine Uploader subtracts a number from its limit and tests whether there is a difference.
    const maxConnections = { valueOf: () => (queue.#maySendMore() ? Infinity : NaN) };
    qq.UploadHandlerController = function (options, namespace) {
      UploadHandlerController.call(this, { ...options, maxConnections }, namespace);
      queue.#wrapController(this);
    };
    qq.XhrUploadHandler = function (spec) {
      XhrUploadHandler.call(this, spec);
      const { _getChunkData } = this;
      this._getChunkData = (id, index) => {
        queue.#partOf = id;
        return _getChunkData.call(this, id, index);
      };
    };
  }

  #maySendMore() {
    return this.#partOf === null || this.#parts.inProgress(this.#partOf) < this.#connections.capacity;
  }

  #wrapController(controller) {
    const { upload, retry, pause, cancel, cancelAll } = controller;
    const startFile = (start) => (id) => {
      return this.#add(id, () => {
        this.#partOf = null;
        return start(id);
      });
    };
    Object.assign(controller, {
      upload: startFile(upload),
      retry: startFile(retry),
      pause: (id) => { this.#remove(id); return pause(id); },
      cancel: (id) => { this.#remove(id); return cancel(id); },
      cancelAll: () => { for (const { id } of [...this.#waiting]) controller.cancel(id); cancelAll(); },
    });
  }

  /** Returns what start returns, or false if the file has to wait. */
  #add(id, start) {
    if (this.#active.has(id)) return start(); // a retry calls upload
    const entry = { id, start, result: false };
    this.#remove(id);
    this.#waiting.push(entry);
    this.#waiting.sort((a, b) => a.id - b.id);
    this.#startNext();
    return entry.result;
  }

  #remove(id) {
    this.#waiting = this.#waiting.filter((entry) => entry.id !== id);
  }

  #startNext() {
    for (let next = this.#findNext(); next; next = this.#findNext()) {
      this.#remove(next.id);
      this.#active.add(next.id);
      next.result = next.start();
    }
  }

  #findNext() {
    if (this.#active.size >= MAX_FILES) return undefined;
    const isFull = [...this.#active].some((id) => this.#isInParts(id) && this.#parts.hasMore(id));
    return this.#waiting.find(({ id }) => !(isFull && this.#isInParts(id)));
  }
}

/** Lets Fine Uploader request as many signatures at a time as there are files. Its own limit is three. */
function allowRequests(qq, count) {
  const { AjaxRequester } = qq;
  qq.AjaxRequester = function (options) {
    AjaxRequester.call(this, { ...options, maxConnections: count });
  };
}
