// Aborts multipart uploads in the store that nobody will complete.
//
// Fine Uploader 5.16.2 aborts a cancelled upload only if it knows of a stored part, and tries once. An upload that is
// cancelled earlier, or without a network, stays in the store at the user's cost until the bucket's lifecycle rule
// removes it; so does an upload that the file has replaced by a new one. This module aborts all of them, and those of
// earlier visits that the user discards. It retries until the store responds or the server rejects the request, as
// long as the page is open. It then aborts once more, because parts that were being sent may still be stored (AWS
// documents this for AbortMultipartUpload, and versitygw does it).

import { onNewRequest, wrapMethod, wrapSigner } from "./intercept.js";

const MIN_DELAY = 5_000; // ms before the first retry; doubles with each
const MAX_DELAY = 15 * 60_000; // ms
const SECOND_ABORT_DELAY = 5_000; // ms

/** Tracks the multipart uploads of all files, and aborts those that are cancelled, replaced or discarded. */
export class UploadCleanup {
  #qq;
  #uploader;
  #queue;
  #uploadIds = new Map(); // by file id
  #locations = new Map(); // by file id: {bucket, host, key}, or a promise of it or of null
  #cancelled = new Set(); // file ids
  #completing = new Set(); // ids of files whose parts the store is combining
  #discarded = 0;

  /** Create it before the uploader and after watchResponses, which lastResponse is from. */
  constructor(qq, lastResponse) {
    this.#qq = qq;
    this.#queue = new AbortQueue(qq, lastResponse, (id) => this.abort(id));
    wrapMethod(qq, "InitiateMultipartAjaxRequester", "send",
      (send, options) => (id) => this.#initiate(id, options, send));
    wrapMethod(qq, "CompleteMultipartAjaxRequester", "send",
      (send) => (id, ...rest) => this.#complete(id, send(id, ...rest)));
  }

  attach(uploader) {
    this.#uploader = uploader;
    const { cancel } = uploader;
    uploader.cancel = (id) => { if (!this.#completing.has(id)) cancel.call(uploader, id); };
  }

  /** Fine Uploader throws if an initiate request of a cancelled file settles, so its result is withheld. */
  #initiate(id, { getBucket, getHost, getKey }, send) {
    this.#locations.set(id, { bucket: getBucket(id), host: getHost(id), key: getKey(id) });
    const result = new this.#qq.Promise();
    send(id).then((uploadId, xhr) => {
      this.abort(id);
      this.#uploadIds.set(id, uploadId);
      if (this.#cancelled.has(id)) this.abort(id);
      else result.success(uploadId, xhr);
    }, (...reasons) => this.#cancelled.has(id) || result.failure(...reasons));
    return result;
  }

  /** It is too late to cancel now. Fine Uploader hides Cancel, but shows it again when it retries the request. */
  #complete(id, result) {
    this.#completing.add(id);
    this.#uploader._templating.hideCancel(id);
    return result.done(() => this.#completing.delete(id));
  }

  /** To be called for each status change of a file. */
  statusChanged(id, status) {
    const { SUBMITTING, CANCELED, UPLOAD_SUCCESSFUL } = this.#qq.status;
    if (status === SUBMITTING) this.#cancelled.delete(id); // uploader.reset() assigns ids again from 0
    if (status === SUBMITTING || status === UPLOAD_SUCCESSFUL) this.#uploadIds.delete(id);
    if (status !== CANCELED) return;
    this.#cancelled.add(id);
    this.abort(id);
  }

  /** The file continues an upload of an earlier visit; record is from a ResumeStore. */
  resume(id, { key, uploadId }) {
    this.#locations.set(id, this.#findLocation(id, key).catch(() => null));
    this.#uploadIds.set(id, uploadId);
  }

  /** Aborts an upload of an earlier visit; record is from a ResumeStore. */
  discard(record) {
    const id = --this.#discarded; // file ids are not negative
    this.resume(id, record);
    this.abort(id);
  }

  /** Aborts the current upload of a file, if it has one. */
  async abort(id) {
    const uploadId = this.#uploadIds.get(id);
    this.#uploadIds.delete(id);
    const location = await this.#locations.get(id);
    if (uploadId && location) this.#queue.add({ id, uploadId, location });
  }

  async #findLocation(id, key) {
    const [bucket, host] = [await this.#uploader._determineBucket(id), await this.#uploader._determineHost(id)];
    return { bucket, host, key: this.#qq.s3.util.uriEscapePath(key) };
  }
}

/** Aborts uploads one after the other, with Fine Uploader's own requester. */
class AbortQueue {
  #uploads = []; // {id, uploadId, location, abortedOnce}
  #running = false;
  #location = null; // of the upload being aborted
  #send; // Fine Uploader's method
  #signing = false;
  #resolve = () => {};
  #delay = MIN_DELAY;
  #endDelay = () => {};

  /** abortInstead(id) is called where Fine Uploader itself would abort the upload of a file. */
  constructor(qq, lastResponse, abortInstead) {
    this.#replaceRequester(qq, abortInstead);
    this.#watchResult(qq, () => this.#resolve(lastResponse()));
    addEventListener("online", () => this.#retryNow());
  }

  /** The requester asks for the location of an upload, which Fine Uploader does not know of a cancelled file. */
  #replaceRequester(qq, abortInstead) {
    const location = {
      getBucket: () => this.#location.bucket,
      getHost: () => this.#location.host,
      getKey: () => this.#location.key,
    };
    const replaceSend = (send) => {
      this.#send = send;
      return abortInstead;
    };
    wrapMethod(qq, "AbortMultipartAjaxRequester", "send", replaceSend, (options) => ({ ...options, ...location }));
  }

  /** An abort ends with the store's response or, if signing fails, with the server's. */
  #watchResult(qq, ended) {
    wrapSigner(qq, (getSignature) => (...args) => {
      const signature = getSignature(...args);
      if (this.#signing) signature.then(null, ended);
      return signature;
    });
    onNewRequest(qq, (xhr, request) => {
      xhr.addEventListener("readystatechange", () => {
        if (xhr.readyState !== XMLHttpRequest.DONE || request.method !== "DELETE") return;
        if (request.url.searchParams.has("uploadId")) ended();
      });
    });
  }

  /** New uploads go before those that are retried. */
  add(upload) {
    this.#uploads.unshift(upload);
    this.#retryNow();
    if (!this.#running) this.#run();
  }

  async #run() {
    this.#running = true;
    while (this.#uploads.length > 0) {
      const upload = this.#uploads.shift();
      const response = await this.#abort(upload).catch(() => requestError);
      if (isAborted(response)) this.#abortAgain(upload);
      else if (!isPermanent(response)) {
        this.#uploads.push(upload);
        await this.#delayRetry();
      }
    }
    this.#running = false;
  }

  #abortAgain(upload) {
    if (upload.abortedOnce) return;
    upload.abortedOnce = true;
    setTimeout(() => this.add(upload), SECOND_ABORT_DELAY);
  }

  /** Returns the response of the store or the server. */
  #abort({ id, uploadId, location }) {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#location = location;
      this.#signing = true;
      try {
        this.#send(id, uploadId); // requests the signature before it returns
      } finally {
        this.#signing = false;
      }
    });
  }

  #delayRetry() {
    const delay = this.#delay;
    this.#delay = Math.min(2 * delay, MAX_DELAY);
    return new Promise((resolve) => {
      this.#endDelay = resolve;
      setTimeout(resolve, delay);
    });
  }

  #retryNow() {
    this.#delay = MIN_DELAY;
    this.#endDelay();
  }
}

/** Stands for a response if Fine Uploader cannot make the request. */
const requestError = { from: "store", permanent: true };

function isAborted(response) {
  return response?.from === "store" && response.status >= 200 && response.status < 300;
}

/**
 * Whether a retry will not help: the upload does not exist, or the store or the server rejected the abort. A rejection
 * by the server has an id; one without it may be a proxy's.
 */
function isPermanent(response) {
  return Boolean(response?.restarts || (response?.permanent && (response.from === "store" || response.id)));
}
