// Patches for bugs in Fine Uploader 5.16.2, its last version. Those about retries are in retries.js, and those about
// timeouts in timeouts.js.
//
// Call the functions without an uploader parameter before the uploader is created, and the others after.

import { onNewRequest } from "./intercept.js";
import { bidiIsolate } from "./messages.js";

/**
 * Keeps aborted requests from being sent. Pause and Cancel abort all requests of a file, but a request that waits for
 * its signature is not open yet, so abort does nothing. Fine Uploader sends it when the signature arrives: a cancelled
 * file is stored, or a paused part is sent twice and the upload starts over with "not in ascending order".
 */
export function stopAbortedRequests(qq) {
  onNewRequest(qq, (xhr) => {
    const { abort } = xhr;
    xhr.abort = function () {
      if (xhr.readyState === XMLHttpRequest.UNSENT) xhr.open = xhr.setRequestHeader = xhr.send = () => {};
      abort.call(xhr);
    };
  });
}

/**
 * Fails each part without a readable ETag. The ETags are needed to combine the parts. If the bucket's CORS rules do
 * not expose them, Fine Uploader sends all parts before it learns of it, as InvalidPart.
 */
export function requireETags(qq) {
  onNewRequest(qq, (xhr, request) => {
    xhr.addEventListener("readystatechange", () => {
      const { method, url } = request;
      const isStoredPart = method === "PUT" && url.searchParams.has("partNumber") && xhr.status === 200;
      if (xhr.readyState !== XMLHttpRequest.DONE || !isStoredPart || xhr.getResponseHeader("ETag")) return;
      xhr.hidesETag = true; // for responses.js
      Object.defineProperty(xhr, "status", { value: 0 });
    });
  });
}

/**
 * Avoids parsing empty responses as XML. Chromium's error document for invalid XML has inline styles, which the
 * content security policy reports on the console.
 */
export function parseEmptyResponses() {
  globalThis.DOMParser = class extends DOMParser {
    parseFromString(text, type) {
      return super.parseFromString(text === "" && type === "application/xml" ? "<empty/>" : text, type);
    }
  };
}

/**
 * Fixes Retry and Pause for a file that was retried or continued and is queued. Fine Uploader still shows Retry and
 * adds the file to the queue again with each press; when the file is cancelled, each extra entry blocks a connection
 * for good. Pause has no effect. With this patch, Retry works only for failed files, and queued files can be paused.
 */
export function fixButtons(qq, uploader) {
  const { retry, pauseUpload } = uploader;
  const hasStatus = (id, status) => uploader.getUploads({ id })?.status === status;
  uploader.retry = function (id) {
    return hasStatus(id, qq.status.UPLOAD_FAILED) && retry.call(this, id);
  };
  uploader.pauseUpload = function (id) {
    if (!hasStatus(id, qq.status.QUEUED) || !this._handler.pause(id)) return pauseUpload.call(this, id);
    this._uploadData.setStatus(id, qq.status.PAUSED);
    this._templating.uploadPaused(id);
    return true;
  };
}

/**
 * Shows file names in messages unchanged. Fine Uploader inserts them with String.replace, in which "$&" has a meaning,
 * and right-to-left marks in a name would change the text after it.
 */
export function escapeNames({ _options: { messages, deleteFile } }) {
  for (const [code, text] of Object.entries(messages)) {
    if (text.includes("{file}")) messages[code] = new MessageTemplate(text);
  }
  deleteFile.confirmMessage = new MessageTemplate(deleteFile.confirmMessage);
}

class MessageTemplate extends String {
  replace(placeholder, value) {
    return new MessageTemplate(super.replace(placeholder, () => bidiIsolate(value)));
  }
}
