// Repeats reports that the signing server has not accepted.
//
// When a file is stored, Fine Uploader reports it to uploadSuccess.endpoint. It forgets the file when the page is
// closed. Whether the session lists unreported objects depends on the hook List. So there is a record of each file from
// before the request that creates its object until the server has accepted the report, and each page load reports again
// what has a record.

import { Database } from "./database.js";
import { wrapMethod } from "./intercept.js";

const WRITE_TIMEOUT = 1000; // ms; an upload does not wait longer for its record
const REMOVE_DELAY = 200; // ms in which several removals become one transaction, which takes 5 ms of the page's time
const MAX_AGE = 30 * 24 * 60 * 60 * 1000; // ms
const MIN_DELAY = 5_000; // ms before the first retry; doubles with each
const MAX_DELAY = 60_000; // ms
const MAX_COMPLETION_TIME = 60 * 60 * 1000; // ms in which a store may still create the object

/** A record has report, the fields of the report; size, in bytes; and time, in ms. */
export class Reports {
  #qq;
  #lastResponse;
  #locks;
  #uploader;
  #database = new Database("s3-sign-srv reports");
  #removed = new Set(); // keys of records that are still to be removed
  #timer = null;

  /** Create it before the uploader. lastResponse is from responses.js, locks a TabLocks. */
  constructor(qq, lastResponse, locks) {
    this.#qq = qq;
    this.#lastResponse = lastResponse;
    this.#locks = locks;
    const isPolicy = ({ expectingPolicy }) => expectingPolicy;
    wrapMethod(qq, "RequestSigner", "getSignature", (getSignature, options) => (id, ...rest) => {
      const signature = getSignature(id, ...rest);
      return isPolicy(options) ? this.#afterRecord(id, signature) : signature;
    });
    wrapMethod(qq, "CompleteMultipartAjaxRequester", "send", (send) => (id, ...rest) => {
      const written = new qq.Promise();
      const result = new qq.Promise();
      written.success();
      this.#afterRecord(id, written).then(() => send(id, ...rest).then(result.success, result.failure));
      return result;
    });
  }

  attach(uploader) {
    this.#uploader = uploader;
  }

  /** Delays the success of a promise of Fine Uploader until the file's record is written. */
  #afterRecord(id, promise) {
    const result = new this.#qq.Promise();
    promise.then((...values) => {
      const timeout = new Promise((resolve) => { setTimeout(resolve, WRITE_TIMEOUT); });
      Promise.race([this.#add(id), timeout]).then(() => {
        const { status } = this.#uploader.getUploads({ id });
        if (status !== "canceled" && status !== "paused") result.success(...values);
      });
    }, result.failure);
    return result;
  }

  async #add(id) {
    const uploader = this.#uploader;
    if (!uploader._uploadSuccessEndpointStore.get(id)) return;
    const report = {
      ...uploader._uploadSuccessParamsStore.get(id),
      ...uploader._paramsStore.get(id),
      ...uploader._getEndpointSpecificParams(id, {}, null),
    };
    await this.#write([[report.key, { report, size: uploader.getSize(id), time: Date.now() }]]);
  }

  /** Removes the record of a file: its report was accepted, or it was deleted. */
  remove(id) {
    const key = this.#uploader.getKey(id);
    if (typeof key === "string") this.#removeKey(key); // else it is not known yet, and there is no record
  }

  #removeKey(key) {
    this.#removed.add(key);
    this.#timer ??= setTimeout(() => this.save(), REMOVE_DELAY);
  }

  /** Removes at once what is to be removed. To be called when the page is left. */
  save() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#removed.size > 0) this.#write([]);
  }

  /** For onError. If the store rejects a request, there is no object; after a 5xx, perhaps of a proxy, there may be. */
  failed(id) {
    const { from, permanent, status } = this.#lastResponse() ?? {};
    if (from === "store" && permanent && status >= 400) this.remove(id);
  }

  /**
   * Reports all records again, one after the other, also those of files that the session does not list or that were
   * rejected. Call it once, after the session. Records of another owner are left alone; owner is resume.owner of the
   * options, if it is set.
   * show(id, state, error) shows the state of a file: "unreported", "rejected" or "done"; error is {text, id} or null.
   * accepted(uuid) is called when the server has accepted a report.
   */
  async restore(owner, { show, accepted }) {
    const isExpired = ({ time }) => Date.now() - time > MAX_AGE;
    const all = await this.#database.readAll().catch(() => []); // the browser may store no data for this page
    for (const [key, record] of all) if (isExpired(record)) this.#removeKey(key);
    const isOwn = (key) => !owner || key.startsWith(`${owner}/`);
    let records = all.filter(([key, record]) => isOwn(key) && !isExpired(record)).map(([, record]) => record);
    for (let delay = MIN_DELAY; ; delay = Math.min(2 * delay, MAX_DELAY)) {
      const retries = [];
      for (const record of records) if (!(await this.#reportAgain(record, { show, accepted }))) retries.push(record);
      if (retries.length === 0) return;
      records = retries;
      await new Promise((resolve) => { setTimeout(resolve, delay); });
    }
  }

  /** Returns false if it is to be retried. */
  async #reportAgain(record, handlers) {
    const { uuid, key } = record.report;
    if (this.#isOutdated(record) || !(await this.#database.has(key).catch(() => false))) return true;
    if (!(await this.#locks.acquire(uuid))) return true; // another tab uploads it
    if (this.#find(key)) handlers.show(this.#find(key).id, "unreported", null);
    const response = await this.#send(record.report);
    if (!this.#isUploading(uuid)) this.#locks.release(uuid);
    if (this.#isOutdated(record)) return true;
    const isFinal = !response || response.permanent;
    if (isFinal) this.#handleResponse(record, response, handlers);
    return isFinal;
  }

  /** response is null if the report was accepted. */
  #handleResponse(record, response, { show, accepted }) {
    const { uuid, key } = record.report;
    const isTooLate = Date.now() - record.time > MAX_COMPLETION_TIME;
    if (!response || (isMissing(response) && isTooLate)) this.#removeKey(key);
    if (!response) {
      show(this.#findOrAdd(record), "done", null);
      accepted(uuid);
    } else if (isRejection(response)) {
      show(this.#findOrAdd(record), "rejected", { text: response.message, id: response.id });
    }
  }

  /** Whether this page uploads the file, and so needs its lock. */
  #isUploading(uuid) {
    return this.#uploader.getUploads().some((upload) => upload.uuid === uuid && this.#uploader.getFile(upload.id));
  }

  /** The file on the page with this key, or undefined. */
  #find(key) {
    return this.#uploader.getUploads().find(({ id }) => this.#uploader.getKey(id) === key);
  }

  #findOrAdd({ report: { uuid, name, key, bucket }, size }) {
    if (!this.#find(key)) this.#uploader.addInitialFiles([{ uuid, name, size, s3Key: key, s3Bucket: bucket }]);
    return this.#find(key).id;
  }

  /** Whether this page uploads the file, so that Fine Uploader reports it, or another object has replaced its object. */
  #isOutdated({ report: { key }, size }) {
    const upload = this.#find(key);
    return Boolean(upload && (this.#uploader.getFile(upload.id) || upload.size !== size));
  }

  /** Returns null if the server accepted the report, or else its response. */
  #send(report) {
    const { uploadSuccess: { method, customHeaders }, cors } = this.#uploader._options;
    const endpoint = this.#uploader._uploadSuccessEndpointStore.get();
    const options = { endpoint, method, customHeaders, cors, log: this.#uploader.log.bind(this.#uploader) };
    const requester = new this.#qq.UploadSuccessAjaxRequester(options);
    return new Promise((resolve) => {
      const rejected = () => resolve(this.#lastResponse() ?? {});
      requester.sendSuccessRequest(report.uuid, report).then(() => resolve(null), rejected);
    });
  }

  /** Also removes what is to be removed. */
  #write(changed) {
    for (const [key] of changed) this.#removed.delete(key);
    const removed = [...this.#removed];
    this.#removed.clear();
    return this.#database.write(changed, removed, "relaxed").catch(() => {});
  }
}

/** Whether the server or its hook rejected the report. Another login or a corrected setting can change other errors. */
function isRejection({ permanent, id, kind, status }) {
  return Boolean(permanent && id && !kind && status !== 401 && status !== 404);
}

/** Whether the server says that there is no such object. */
function isMissing({ status, id, kind }) {
  return Boolean(status === 404 && id && !kind);
}
