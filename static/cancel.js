// Cancel leaves nothing in the store.
//
// Fine Uploader 5.16.2 aborts a cancelled upload in the store only if it knows a part of it to be stored, and asks once.
// What is cancelled before that, or without a network, stays in the store, unseen and paid for, until the bucket's
// lifecycle rule ends it; so does an upload in the place of which a file has begun another. From here on all these are
// aborted, and again until the store has answered or the server refused, for as long as the page is open; and so is what
// an earlier visit left half uploaded, when the user discards it. And once more later, for parts that were under way may
// be stored all the same (AWS says so of AbortMultipartUpload, and versitygw was seen to do it).

import { withEvery, withEveryRequest, withEverySigner } from "./repairs.js";

const SHORTEST_PAUSE = 5_000; // ms between two attempts; it doubles with each
const LONGEST_PAUSE = 15 * 60_000;
const AFTERMATH = 5_000; // ms in which a part that was under way during the abort may still bring the upload back

/** What the store has of files, and should not have any more when nobody goes on with it. */
export class Leftovers {
  #qq;
  #uploader;
  #aborts;
  #uploads = new Map(); // upload IDs by the file's id
  #places = new Map(); // {bucket, host, key}, or a promise of it or null, by the file's id
  #cancelled = new Set(); // ids of files
  #ending = new Set(); // ids of files whose parts the store puts together
  #discarded = 0;

  /** Comes before the uploader; lastAnswer is from answers.js, and must watch already. */
  constructor(qq, lastAnswer) {
    this.#qq = qq;
    this.#aborts = new Aborts(qq, lastAnswer, (id) => this.#abort(id));
    withEvery(qq, "InitiateMultipartAjaxRequester", "send", (send, options) => (id) => this.#begin(id, options, send));
    withEvery(qq, "CompleteMultipartAjaxRequester", "send", (send) => (id, ...rest) => this.#end(id, send(id, ...rest)));
  }

  attach(uploader) {
    this.#uploader = uploader;
    const { cancel } = uploader;
    uploader.cancel = (id) => { if (!this.#ending.has(id)) cancel.call(uploader, id); };
  }

  /** Begins an upload as Fine Uploader does, which throws if it hears of a file that has been cancelled meanwhile. */
  #begin(id, { getBucket, getHost, getKey }, send) {
    this.#places.set(id, { bucket: getBucket(id), host: getHost(id), key: getKey(id) });
    const begun = new this.#qq.Promise();
    send(id).then((uploadId, xhr) => {
      this.#abort(id);
      this.#uploads.set(id, uploadId);
      if (this.#cancelled.has(id)) this.#abort(id);
      else begun.success(uploadId, xhr);
    }, (...reasons) => this.#cancelled.has(id) || begun.failure(...reasons));
    return begun;
  }

  /** Cancel would come too late now. Fine Uploader knows that, but offers it again when it asks the store once more. */
  #end(id, answer) {
    this.#ending.add(id);
    this.#uploader._templating.hideCancel(id);
    return answer.done(() => this.#ending.delete(id));
  }

  /** Wants to be told of every new status of a file. */
  newStatus(id, status) {
    const { SUBMITTING, CANCELED, UPLOAD_SUCCESSFUL } = this.#qq.status;
    if (status === SUBMITTING) this.#cancelled.delete(id); // after uploader.reset() ids begin anew
    if (status === SUBMITTING || status === UPLOAD_SUCCESSFUL) this.#uploads.delete(id);
    if (status !== CANCELED) return;
    this.#cancelled.add(id);
    this.#abort(id);
  }

  /** The file goes on with what an earlier visit began, as its record says. */
  resumes(id, { key, uploadId }) {
    this.#places.set(id, this.#find(id, key).catch(() => null));
    this.#uploads.set(id, uploadId);
  }

  /** Nobody goes on with what an earlier visit began, as its record says. */
  discard(record) {
    const id = --this.#discarded; // no file has it
    this.resumes(id, record);
    this.#abort(id);
  }

  async #abort(id) {
    const uploadId = this.#uploads.get(id);
    this.#uploads.delete(id);
    const place = await this.#places.get(id);
    if (uploadId && place) this.#aborts.add({ id, uploadId, place });
  }

  async #find(id, key) {
    const [bucket, host] = [await this.#uploader._determineBucket(id), await this.#uploader._determineHost(id)];
    return { bucket, host, key: this.#qq.s3.util.uriEscapePath(key) };
  }
}

/** Aborts uploads, one after the other. */
class Aborts {
  #waiting = []; // {id, uploadId, place}
  #working = false;
  #place = null; // of the one that is asked for
  #send;
  #signing = false;
  #answered = () => {};
  #pause = SHORTEST_PAUSE;
  #wake = () => {};

  /** Where Fine Uploader wants a file's upload to be aborted, instead is called. */
  constructor(qq, lastAnswer, instead) {
    this.#takeOver(qq, instead);
    this.#followAnswers(qq, () => this.#answered(lastAnswer()));
    addEventListener("online", () => this.#hurry());
  }

  /** Fine Uploader would ask where the upload is, but has forgotten a cancelled file by then. */
  #takeOver(qq, instead) {
    const place = { getBucket: () => this.#place.bucket, getHost: () => this.#place.host, getKey: () => this.#place.key };
    const takeOver = (send) => {
      this.#send = send;
      return instead;
    };
    withEvery(qq, "AbortMultipartAjaxRequester", "send", takeOver, (options) => ({ ...options, ...place }));
  }

  /** An attempt ends with the store's answer or, where it fails, with that to the request for the signature. */
  #followAnswers(qq, tell) {
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

  /** Aborts an upload before those that could not be aborted so far. */
  add(upload) {
    this.#waiting.unshift(upload);
    this.#hurry();
    if (!this.#working) this.#work();
  }

  async #work() {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const upload = this.#waiting.shift();
      const answer = await this.#ask(upload).catch(() => cannotAsk);
      if (isAborted(answer)) this.#onceMore(upload);
      else if (!isHopeless(answer)) {
        this.#waiting.push(upload);
        await this.#rest();
      }
    }
    this.#working = false;
  }

  #onceMore(upload) {
    if (upload.aborted) return;
    upload.aborted = true;
    setTimeout(() => this.add(upload), AFTERMATH);
  }

  /** Gives the answer of the store, or of the server. */
  #ask({ id, uploadId, place }) {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#place = place;
      this.#signing = true;
      try {
        this.#send(id, uploadId); // asks for the signature before it returns
      } finally {
        this.#signing = false;
      }
    });
  }

  #rest() {
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, LONGEST_PAUSE);
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, pause);
    });
  }

  #hurry() {
    this.#pause = SHORTEST_PAUSE;
    this.#wake();
  }
}

/** What stands for an answer where Fine Uploader cannot even make the request. */
const cannotAsk = { from: "store", final: true };

/** Whether the store has aborted an upload just now. */
function isAborted(answer) {
  return answer?.from === "store" && answer.status >= 200 && answer.status < 300;
}

/** Whether asking again will not help: it is not there, or must not be aborted. A refusal of the server's own has an id. */
function isHopeless(answer) {
  return Boolean(answer?.startsOver || (answer?.final && (answer.from === "store" || answer.id)));
}
