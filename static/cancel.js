// Cancel leaves nothing in the store.
//
// Fine Uploader 5.16.2 aborts a cancelled upload in the store only if it knows a part of it to be stored, and asks once.
// What is cancelled before that, or without a network, stays in the store, unseen and paid for, until the bucket's
// lifecycle rule ends it; so does an upload in the place of which a file has begun another. From here on all these are
// aborted, and again until the store has answered, for as long as the page is open; and so is what an earlier visit left
// half uploaded, when the user discards it.

import { withEveryRequest, withEverySigner } from "./repairs.js";

const SHORTEST_PAUSE = 5_000; // ms between two attempts; it doubles with each
const LONGEST_PAUSE = 15 * 60_000;

/**
 * Watches the uploads that qq begins from now on. Of what it returns, newStatus(id, status) wants to be called with every
 * new status of a file; discard(uploader, {key, uploadId}) aborts what an earlier visit has begun. lastAnswer is from
 * answers.js, and must watch already.
 */
export function cancelLeavesNothing(qq, lastAnswer) {
  const uploads = new Map(); // upload IDs by the file's id: what the store has of files that are not done
  const cancelled = new Set(); // ids
  const places = new Map(); // {bucket, host, key} by id, for Fine Uploader forgets a cancelled file's
  const remember = (id, { getBucket, getHost, getKey }) => places.set(id, { bucket: getBucket(id), host: getHost(id), key: getKey(id) });
  const leftovers = new Leftovers(qq, lastAnswer);

  const { InitiateMultipartAjaxRequester: Initiator, AbortMultipartAjaxRequester: Aborter } = qq.s3;
  qq.s3.InitiateMultipartAjaxRequester = function (options) {
    Initiator.call(this, options);
    const { send } = this;
    this.send = (id) => {
      const begun = new qq.Promise();
      remember(id, options);
      send(id).then((uploadId, xhr) => {
        leftovers.add(id, uploads.get(id));
        uploads.set(id, uploadId);
        if (cancelled.has(id)) leftovers.add(id, uploadId); // and Fine Uploader knows nothing of the file any more
        else begun.success(uploadId, xhr);
      }, begun.failure);
      return begun;
    };
  };
  qq.s3.AbortMultipartAjaxRequester = function (options) {
    const place = { getBucket: (id) => places.get(id).bucket, getHost: (id) => places.get(id).host, getKey: (id) => places.get(id).key };
    Aborter.call(this, { ...options, ...place });
    leftovers.abort = this.send;
    this.send = (id, uploadId) => {
      remember(id, options);
      leftovers.add(id, uploadId);
    };
  };

  let discarded = 0;
  return {
    newStatus(id, status) {
      if (status === qq.status.CANCELED) {
        cancelled.add(id);
        leftovers.add(id, uploads.get(id));
      }
      if (status === qq.status.UPLOAD_SUCCESSFUL) uploads.delete(id);
    },
    discard(uploader, { key, uploadId }) {
      const id = --discarded; // no file has it
      uploader._determineBucket(id).then((bucket) => uploader._determineHost(id).then((host) => {
        places.set(id, { bucket, host, key: qq.s3.util.uriEscapePath(key) });
        leftovers.add(id, uploadId);
      }));
    },
  };
}

/** Uploads to be aborted, one after the other. */
class Leftovers {
  /** Fine Uploader's way to abort: its answer is that of the request, or of the one for its signature. */
  abort;
  #known = new Set(); // upload IDs
  #waiting = []; // [id, uploadId]
  #working = false;
  #signing = false;
  #answered = () => {};

  constructor(qq, lastAnswer) {
    const tell = () => this.#answered(lastAnswer());
    withEverySigner(qq, (ask) => (...args) => {
      const signature = ask(...args);
      if (this.#signing) signature.then(null, tell);
      return signature;
    });
    withEveryRequest(qq, (xhr) => {
      const { open } = xhr;
      xhr.open = function (method, url, ...rest) {
        if (method === "DELETE" && url.includes("uploadId=")) {
          xhr.addEventListener("readystatechange", () => { if (xhr.readyState === XMLHttpRequest.DONE) tell(); });
        }
        return open.call(this, method, url, ...rest);
      };
    });
  }

  add(id, uploadId) {
    if (!uploadId || this.#known.has(uploadId)) return;
    this.#known.add(uploadId);
    this.#waiting.push([id, uploadId]);
    if (!this.#working) this.#work();
  }

  async #work() {
    this.#working = true;
    for (let pause = SHORTEST_PAUSE; this.#waiting.length > 0; ) {
      const [id, uploadId] = this.#waiting.shift();
      if (await this.#isGone(id, uploadId)) continue;
      this.#waiting.push([id, uploadId]);
      await networkOr(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
    this.#working = false;
  }

  /** Aborts the upload, and says whether there is no more to do: it is gone, or asking again will not help. */
  async #isGone(id, uploadId) {
    if (!navigator.onLine) return false;
    const answer = await new Promise((resolve) => {
      this.#answered = resolve;
      this.#signing = true;
      this.abort(id, uploadId); // asks for the signature before it returns
      this.#signing = false;
    });
    return answer !== null && (answer.final || answer.startsOver || (answer.status >= 200 && answer.status < 300));
  }
}

/** Waits so many ms, or until the browser is back online. */
function networkOr(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener("online", resolve, { once: true });
  });
}
