// Patches for how Fine Uploader 5.16.2 retries uploads.
//
// Call the functions that take qq before the uploader is created, and what they return with the uploader after. The
// other functions take the uploader. responses, and its method last as lastResponse, are from responses.js.

import { unreadableFile } from "./messages.js";

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

const MAX_DELAY = 60; // s between two retries, if the response names no longer time
const MAX_RETRY_AFTER = 3600; // s

/**
 * Retries only what can succeed. Fine Uploader retries rejected requests as often as lost connections, counts retries
 * without a network, and always waits the same few seconds. With this patch a rejection is shown at once, with a Retry
 * button; a file without a network waits for one; the delay doubles after each fourth retry, and is as long as the
 * response's Retry-After at least.
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
    const retryAfter = Math.min(MAX_RETRY_AFTER, lastResponse()?.retryAfter ?? 0);
    retry.autoAttemptDelay = Math.max(minDelay, retryAfter, Math.min(MAX_DELAY, minDelay * 2 ** doublings));
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
