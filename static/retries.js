// Patches for how Fine Uploader 5.16.2 retries uploads.
//
// Call the functions that take qq before the uploader is created, and what they return with the uploader after. The
// other functions take the uploader. responses, and its method last as lastResponse, are from responses.js.

import { wrapSigner } from "./intercept.js";
import { unreadableFile } from "./messages.js";

/**
 * Ignores signatures that an earlier attempt requested. After a failure, a pause or a restart Fine Uploader requests
 * the signatures of the parts again while earlier requests for them may still be pending. It stores pending requests
 * by file and part, so the new one overwrites the old one, which then never leaves the queue of three: after three of
 * them the upload hangs. An old request that completes later can end the current attempt, or send a part of a file
 * that was paused or cancelled. With this patch each request has its own id, and outdated results are dropped.
 */
export function ignoreOutdatedSignatures(qq) {
  const retries = new Map(); // by file id
  let requests = 0;
  let isStopped = () => false;
  wrapSigner(qq, (getSignature) => (id, toSign) => {
    if (typeof id !== "string") return getSignature(id, toSign); // not for a part
    const file = parseInt(id, 10); // "7.3" is part 3 of file 7
    const retry = retries.get(file);
    const result = new qq.Promise();
    const ifCurrent = (settle) => (...args) => retries.get(file) === retry && !isStopped(file) && settle(...args);
    getSignature(`${id}.${++requests}`, toSign).then(ifCurrent(result.success), ifCurrent(result.failure));
    return result;
  });
  return (uploader) => {
    isStopped = (id) => [qq.status.CANCELED, qq.status.PAUSED].includes(uploader.getUploads({ id })?.status);
    for (const name of ["_onAutoRetry", "continueUpload", "retry"]) {
      const method = uploader[name];
      uploader[name] = function (id, ...rest) {
        retries.set(id, (retries.get(id) ?? 0) + 1);
        return method.call(this, id, ...rest);
      };
    }
  };
}

/** How often a file may start over before it fails, by the store's error code. */
const maxRestarts = { NoSuchUpload: 3 };
const defaultMaxRestarts = 1;

/**
 * Limits how often a file starts over after the store lost its upload. Fine Uploader would forget the stored parts
 * and then throw in its own log message, which counts them, and the file would hang. Without that error, each pending
 * part would restart the file again; and because each stored part resets the retry count, a file that can never be
 * completed would be sent forever. With this patch a file restarts once at a time, without pending requests, and a
 * few times at most until the user presses Retry.
 */
export function limitRestarts(qq, responses) {
  allowUndefinedInLogs(qq);
  const restarts = new Map(); // by file id
  return (uploader) => {
    const { _onAutoRetry, retry } = uploader;
    uploader._onAutoRetry = function (id, name, result, xhr, ...rest) {
      const response = responses.last();
      if (response?.restarts) {
        abortOthers(responses.pending, xhr);
        restarts.set(id, (restarts.get(id) ?? 0) + 1);
        if (restarts.get(id) > (maxRestarts[response.code] ?? defaultMaxRestarts)) return false;
      }
      return _onAutoRetry.call(this, id, name, result, xhr, ...rest);
    };
    uploader.retry = function (id) {
      restarts.delete(id);
      return retry.call(this, id);
    };
  };
}

function allowUndefinedInLogs(qq) {
  const { format } = qq;
  qq.format = (text, ...values) => format(text, ...values.map((value) => value ?? "none"));
}

/** Aborts the other pending requests of the same multipart upload. Fine Uploader does not notice. */
function abortOthers(pending, xhr) {
  const uploadId = (request) => request?.url.searchParams.get("uploadId");
  for (const [other, request] of [...pending]) {
    if (other === xhr || !uploadId(request) || uploadId(request) !== uploadId(pending.get(xhr))) continue;
    other.onreadystatechange = null;
    other.abort();
  }
}

const MAX_DELAY = 60; // s between two retries

/**
 * Retries only what can succeed. Fine Uploader retries rejected requests as often as lost connections, counts retries
 * without a network, and always waits the same few seconds. With this patch a rejection is shown at once, with a Retry
 * button; a file without a network waits for one; and the delay doubles after each fourth retry.
 */
export function retryTransientErrors(uploader, lastResponse) {
  const { retry } = uploader._options;
  const minDelay = retry.autoAttemptDelay;
  const { _shouldAutoRetry } = uploader;
  uploader._shouldAutoRetry = function (id) {
    if (lastResponse()?.permanent) return false;
    if (!navigator.onLine && this._autoRetries[id] > 0) this._autoRetries[id]--;
    const shouldRetry = _shouldAutoRetry.call(this, id);
    const doublings = Math.floor(((this._autoRetries[id] ?? 1) - 1) / 4);
    retry.autoAttemptDelay = Math.max(minDelay, Math.min(MAX_DELAY, minDelay * 2 ** doublings));
    return shouldRetry;
  };
}

/**
 * Fails a file at once that has an error of its own, which a retry will not fix: fileErrors is a Map from file ids to
 * sentences, from which Retry removes the file. One such error is a file that can no longer be read because it was
 * changed, moved or removed. Fine Uploader reports a problem with the signature (version 4) or the network (version 2)
 * and retries. Returns a function that tells whether a file can be read, as a promise.
 */
export function failFilesWithErrors(uploader, lastResponse, fileErrors) {
  const { retry, _shouldAutoRetry, _onAutoRetry } = uploader;
  const setUnreadable = (id) => fileErrors.set(id, unreadableFile);
  const isReadable = async (id) => {
    try {
      await uploader.getFile(id)?.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      setUnreadable(id);
      return false;
    }
  };
  uploader.retry = function (id) {
    fileErrors.delete(id); // the file may be back
    return retry.call(this, id);
  };
  uploader._shouldAutoRetry = function (id) {
    const response = lastResponse();
    if (!response || (response.from === "store" && response.status === 0)) isReadable(id);
    return !fileErrors.has(id) && _shouldAutoRetry.call(this, id);
  };
  uploader._onAutoRetry = function (id, name, result, ...rest) {
    const hashingFailed = !lastResponse() && result.error === "Problem signing the chunk!"; // no request was made
    if (hashingFailed) setUnreadable(id);
    return _onAutoRetry.call(this, id, name, result, ...rest);
  };
  return isReadable;
}
