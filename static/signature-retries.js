// Requests a signature again if the signing server does not answer or fails for a moment.
//
// Fine Uploader 5.16.2 would fail the file: it aborts the parts on their way and later sends them again. With this
// module it only waits longer for the signature, and the other parts go on. This is for parts and for the forms of
// small files. A file that initiates or completes its upload has no parts on their way, and is retried as a whole.

import { wrapMethod } from "./intercept.js";

/**
 * Call it before the uploader is created, and what it returns with the uploader after. lastResponse is from
 * responses.js; connections decides when a signed request is sent. delayed(id, retry) is called when a signature for a file will be requested again, with the number of
 * this retry, and received(id) when the server has given it.
 *
 * It also drops signatures that an earlier attempt requested. After a failure, a pause or a restart Fine Uploader
 * requests the signatures again while earlier requests for them may still be pending. It stores pending requests by
 * file and part, so the new one overwrites the old one, which then never leaves the queue of three: after three of
 * them the upload hangs. An old request that completes later can end the current attempt, or send a part of a file
 * that was paused or cancelled. So each request gets its own id, and each change of the file's status ends the attempt.
 */
export function retrySignatures(qq, lastResponse, connections, { delayed, received }) {
  const attempts = new Map(); // by file id
  let uploader = null;
  let requests = 0;
  const isStopped = (id) => [qq.status.CANCELED, qq.status.PAUSED].includes(uploader.getUploads({ id })?.status);
  const createAttempt = (file) => new Attempt({
    isCurrent: (attempt) => attempts.get(file) === attempt && !isStopped(file),
    isTransient: () => lastResponse()?.from === "server" && !lastResponse().permanent,
    delayRetry: () => {
      if (!uploader._shouldAutoRetry(file)) return null;
      delayed(file, uploader._autoRetries[file]);
      return uploader._options.retry.autoAttemptDelay * 1000;
    },
    received: () => received(file),
    schedule: (request) => connections.schedule({ file, ...request }),
  });
  wrapMethod(qq, "RequestSigner", "getSignature", (getSignature, { expectingPolicy }) => (id, toSign) => {
    if (typeof id !== "string" && !expectingPolicy) return getSignature(id, toSign); // not of a part or a form
    const file = fileOf(id);
    if (!attempts.has(file)) attempts.set(file, createAttempt(file));
    const result = new qq.Promise();
    const part = expectingPolicy ? null : Number(id.split(".")[1]);
    attempts.get(file).request(() => getSignature(`${id}.${++requests}`, toSign), part, result);
    return result;
  }, passFileToHeaders);
  return (created) => {
    uploader = created;
    const { _onUploadStatusChange } = uploader;
    uploader._onUploadStatusChange = function (id, ...rest) {
      attempts.delete(id);
      return _onUploadStatusChange.call(this, id, ...rest);
    };
  };
}

/** The file of a signer's id: "7.3" is part 3 of file 7. */
function fileOf(id) {
  return parseInt(id, 10);
}

/** Lets the option signature.customHeaders, if it is a function, get the id of the file. */
function passFileToHeaders(options) {
  const { customHeaders } = options.signatureSpec;
  if (typeof customHeaders !== "function") return options;
  return { ...options, signatureSpec: { ...options.signatureSpec, customHeaders: (id) => customHeaders(fileOf(id)) } };
}

/**
 * The signature requests of one attempt to upload a file. After a failure one request is repeated, and those that fail
 * meanwhile wait for it, so that they neither count as further retries nor burden the server.
 */
class Attempt {
  #isCurrent;
  #isTransient;
  #delayRetry;
  #received;
  #schedule;
  #repeated = null; // a request, as a function
  #waiting = []; // requests

  /**
   * isCurrent(attempt): whether it has not ended. isTransient(): whether a retry can help after the present failure.
   * delayRetry() returns the delay before a retry in ms, or null after the last one. received() is called when a
   * repeated request has succeeded. schedule is that of a Connections.
   */
  constructor({ isCurrent, isTransient, delayRetry, received, schedule }) {
    this.#isCurrent = () => isCurrent(this);
    this.#isTransient = isTransient;
    this.#delayRetry = delayRetry;
    this.#received = received;
    this.#schedule = schedule;
  }

  /**
   * Calls getSignature until its promise succeeds, and settles result when the part may be sent, unless the attempt
   * ends before.
   */
  request(getSignature, part, result) {
    const request = () => {
      if (!this.#isCurrent()) return;
      getSignature().then(
        (...signature) => {
          if (!this.#isCurrent()) return;
          this.#succeeded(request);
          const send = () => { if (this.#isCurrent()) result.success(...signature); };
          this.#schedule({ part, send, signAgain: request });
        },
        (...error) => {
          if (this.#isCurrent() && !this.#willRepeat(request)) result.failure(...error);
        },
      );
    };
    request();
  }

  #succeeded(request) {
    if (request !== this.#repeated) return;
    this.#repeated = null;
    this.#received();
    for (const waiting of this.#waiting.splice(0)) waiting();
  }

  #willRepeat(request) {
    if (!this.#isTransient()) return false;
    if (this.#repeated && request !== this.#repeated) {
      this.#waiting.push(request);
      return true;
    }
    const delay = this.#delayRetry();
    if (delay === null) return false;
    this.#repeated = request;
    callLaterOrOnline(request, delay);
    return true;
  }
}

/** Calls callback after ms, or when the browser is back online. */
function callLaterOrOnline(callback, ms) {
  const call = () => {
    clearTimeout(timer);
    removeEventListener("online", call);
    callback();
  };
  const timer = setTimeout(call, ms);
  addEventListener("online", call);
}
