// Repeats reports that the signing server has not accepted, and remembers what it rejected.
//
// When a file is stored, Fine Uploader reports it to uploadSuccess.endpoint. It forgets the file when the page is
// closed. The session then lists every object in the bucket, and a file that was rejected, or never reported, would
// look like any other. So there is a record of each file from before the request that creates its object until the
// server has accepted the report.

import { Database } from "./database.js";
import { wrapMethod } from "./intercept.js";

const WRITE_TIMEOUT = 1000; // ms; an upload does not wait longer for its record
const REMOVE_DELAY = 200; // ms in which several removals become one transaction, which takes 5 ms of the page's time
const MAX_AGE = 30 * 24 * 60 * 60 * 1000; // ms
const MIN_DELAY = 5_000; // ms before the first retry; doubles with each
const MAX_DELAY = 60_000; // ms

/** A record has report, the fields of the report; size, in bytes; time, in ms; and rejection, {text, id} or null. */
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
    const record = { report, size: uploader.getSize(id), time: Date.now(), rejection: null };
    await this.#write([[report.key, record]]);
  }

  /** Removes the record of a file: its report was accepted, or it was deleted. */
  remove(id) {
    const key = this.#uploader.getKey(id);
    if (typeof key !== "string") return; // it is not known yet, and there is no record
    this.#removed.add(key);
    this.#timer ??= setTimeout(() => this.save(), REMOVE_DELAY);
  }

  /** Removes at once what is to be removed. To be called when the page is left. */
  save() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#removed.size > 0) this.#write([]);
  }

  /** For onError. */
  async failed(id) {
    const response = this.#lastResponse();
    const key = this.#uploader.getKey(id);
    if (response?.from === "store" && response.status >= 400) return this.remove(id); // there is no object
    if (!isRejection(response)) return undefined;
    const record = (await this.#read()).get(key);
    return record && this.#write([[key, { ...record, rejection: rejectionOf(response) }]]);
  }

  /**
   * Reports again what the session lists and the server has not accepted. show(id, state, error) shows the state of a
   * file: "unreported", "rejected" or "done"; error is {text, id}.
   */
  async restore(show) {
    const records = await this.#read();
    const expired = [...records].filter(([, { time }]) => Date.now() - time > MAX_AGE).map(([key]) => key);
    for (const key of expired) this.#removed.add(key);
    this.save();
    for (const { id, size } of this.#uploader.getUploads()) {
      const record = records.get(this.#uploader.getKey(id));
      if (!record || this.#uploader.getFile(id) || record.size !== size) continue;
      if (record.rejection) show(id, "rejected", record.rejection);
      else this.#repeat(id, record.report, show);
    }
  }

  async #repeat(id, report, show) {
    if (!(await this.#locks.acquire(report.uuid))) return; // another tab uploads or reports it
    if ((await this.#read()).has(report.key)) await this.#repeatUntilAnswered(id, report, show);
    this.#locks.release(report.uuid);
  }

  async #repeatUntilAnswered(id, report, show) {
    for (let delay = MIN_DELAY; ; delay = Math.min(2 * delay, MAX_DELAY)) {
      show(id, "unreported", null);
      const response = await this.#send(id, report);
      if (!response) {
        this.remove(id);
        return show(id, "done", null);
      }
      if (isRejection(response)) {
        const rejection = rejectionOf(response);
        const record = (await this.#read()).get(report.key);
        await this.#write([[report.key, { ...record, rejection }]]);
        return show(id, "rejected", rejection);
      }
      await new Promise((resolve) => { setTimeout(resolve, delay); });
      if (!["upload successful", "delete failed"].includes(this.#uploader.getUploads({ id })?.status)) return undefined;
    }
  }

  /** Returns null if the server accepted the report, or else its response. */
  #send(id, report) {
    const { uploadSuccess: { method, customHeaders }, cors } = this.#uploader._options;
    const endpoint = this.#uploader._uploadSuccessEndpointStore.get(id);
    const options = { endpoint, method, customHeaders, cors, log: this.#uploader.log.bind(this.#uploader) };
    const requester = new this.#qq.UploadSuccessAjaxRequester(options);
    return new Promise((resolve) => {
      requester.sendSuccessRequest(id, report).then(() => resolve(null), () => resolve(this.#lastResponse() ?? {}));
    });
  }

  /** By key; empty if the browser stores no data for this page. */
  async #read() {
    return new Map(await this.#database.readAll().catch(() => []));
  }

  /** Also removes what is to be removed. */
  #write(changed) {
    for (const [key] of changed) this.#removed.delete(key);
    const removed = [...this.#removed];
    this.#removed.clear();
    return this.#database.write(changed, removed, "relaxed").catch(() => {});
  }
}

/** Whether the server or its hook rejected the report. Another login or a corrected setting can change the other errors. */
function isRejection(response) {
  const { option, permanent, id, kind, status } = response ?? {};
  return Boolean(option === "uploadSuccess.endpoint" && permanent && id && !kind && status !== 401);
}

function rejectionOf({ message, id }) {
  return { text: message, id };
}
