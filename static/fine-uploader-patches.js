// Patches for bugs in Fine Uploader 5.16.2, its last version. Those about retries are in retries.js, and those about
// timeouts in timeouts.js.
//
// Call the functions without an uploader parameter before the uploader is created, and the others after.

import { onNewRequest, wrapMethod } from "./intercept.js";
import { bidiIsolate } from "./messages.js";

/**
 * Keeps aborted requests from being sent. Pause and Cancel abort all requests of a file, but a request that waits for
 * its signature is not open yet, so abort does nothing. Fine Uploader sends it when the signature arrives: a cancelled
 * file is stored, or a paused part is sent twice and the upload starts over with "not in ascending order".
 *
 * A request that Fine Uploader aborts while it handles the response would have no loadend event, by which other modules
 * see that it has ended.
 */
export function stopAbortedRequests(qq) {
  onNewRequest(qq, (xhr) => {
    const { abort } = xhr;
    xhr.abort = function () {
      if (xhr.readyState === XMLHttpRequest.UNSENT) xhr.open = xhr.setRequestHeader = xhr.send = () => {};
      const isDone = xhr.readyState === XMLHttpRequest.DONE;
      abort.call(xhr);
      if (isDone) queueMicrotask(() => xhr.dispatchEvent(new ProgressEvent("loadend")));
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
 * Signs the Content-Type of chunked uploads under version 4 too, where Fine Uploader adds it only after the signature.
 * radosgw 19.2.6, 20.2.4 and newer reject a request whose Content-Type is not signed, even the empty one of a part.
 * For other stores, it lets the server check the type of a file before anything is uploaded.
 *
 * getToSign signs all headers that the request has by then.
 */
export function signContentType(qq) {
  wrapMethod(qq, "RequestSigner", "constructStringToSign", (construct, { signatureSpec }) => function (operation, ...rest) {
    const request = construct.call(this, operation, ...rest);
    if (signatureSpec.version !== 4) return request;
    const { getToSign, withContentType } = request;
    let type = operation === this.REQUEST_TYPE.MULTIPART_UPLOAD ? "" : null; // null: the request has no Content-Type
    request.withContentType = (value) => {
      type = value || null;
      return withContentType.call(request, value);
    };
    request.getToSign = (id) => {
      if (type !== null) request.withHeaders({ ...request.getHeaders(), "Content-Type": type });
      return getToSign.call(request, id);
    };
    return request;
  });
}

/**
 * Uploads an empty file in one empty part where chunking.mandatory is set. Fine Uploader counts no parts and would wait
 * forever. It also takes an empty part for a file that is gone, so it does not get the size of this one.
 */
export function sendEmptyFiles(qq) {
  const { XhrUploadHandler } = qq;
  qq.XhrUploadHandler = function (spec) {
    XhrUploadHandler.call(this, spec);
    const { _getTotalChunks, _getChunkData } = this;
    this._getTotalChunks = (id) => Math.max(1, _getTotalChunks(id));
    this._getChunkData = (id, index) => {
      const part = _getChunkData.call(this, id, index);
      if (part.size === 0) Object.defineProperty(part.blob, "size", { value: undefined });
      return part;
    };
  };
}

/** Calls report(paths) for files and folders in a dropped folder that cannot be read. Fine Uploader only logs them. */
export function reportUnreadableEntries(qq, report) {
  const { DragAndDrop } = qq;
  qq.DragAndDrop = function (options) {
    const callbacks = { ...new DragAndDrop.callbacks(), ...options.callbacks };
    const { dropLog, processingDroppedFilesComplete } = callbacks;
    const paths = [];
    callbacks.dropLog = (message, ...rest) => {
      const path = /^Problem parsing '(.*)'\. /s.exec(message)?.[1];
      if (path) paths.push(path);
      dropLog(message, ...rest);
    };
    callbacks.processingDroppedFilesComplete = (...args) => {
      processingDroppedFilesComplete(...args);
      if (paths.length > 0) report(paths.splice(0));
    };
    DragAndDrop.call(this, { ...options, callbacks });
  };
  qq.DragAndDrop.callbacks = DragAndDrop.callbacks;
}

/**
 * Sends a small file in one part if its name begins or ends with a space, which its key may contain: radosgw removes
 * this space from the key of a form, and then rejects the form.
 */
export function sendSpacedNamesInParts(qq) {
  const { XhrUploadHandler } = qq;
  qq.XhrUploadHandler = function (spec) {
    XhrUploadHandler.call(this, spec);
    const { reevaluateChunking } = this;
    const { chunking } = spec.options;
    const { mandatory } = chunking;
    this.reevaluateChunking = (id) => {
      const name = spec.proxy.getName(id);
      chunking.mandatory = mandatory || name !== name.trim();
      reevaluateChunking(id);
      chunking.mandatory = mandatory;
    };
  };
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
 * Checks chosen files without timers. Fine Uploader sets one before it checks the next file, so a hidden tab would take
 * one file a second. Browsers do not slow down messages, and between two of them the page responds to the user.
 */
export function validateWithoutTimers(uploader) {
  const { port1, port2 } = new MessageChannel();
  const tasks = [];
  port1.onmessage = () => tasks.shift()();
  const { _maybeProcessNextItemAfterOnValidateCallback: processNext } = uploader;
  uploader._maybeProcessNextItemAfterOnValidateCallback = function (isValid, items, index, ...rest) {
    const { callbacks, validation } = this._options;
    const hasNext = index < items.length && (isValid || !validation.stopOnFirstInvalidFile);
    if (!hasNext) return processNext.call(this, isValid, items, index, ...rest);
    tasks.push(() => {
      const file = this._getValidationDescriptor(items[index]);
      const button = this._getButton(this._getButtonId(items[index].file));
      this._handleCheckedCallback({
        name: "onValidate",
        callback: () => callbacks.onValidate.call(this, file, button),
        onSuccess: () => this._onValidateCallbackSuccess(items, index, ...rest),
        onFailure: () => this._onValidateCallbackFailure(items, index, ...rest),
        identifier: `Item '${file.name}', size: ${file.size}`,
      });
    });
    port2.postMessage(null);
  };
}

/**
 * Keeps the fields of the success report. Fine Uploader lets request.params replace them, so that a param "key" would
 * report another object. The params are still stored with the object.
 */
export function keepReportFields(qq, uploader) {
  const reports = new Map(); // by file id
  const { _getEndpointSpecificParams } = uploader;
  uploader._getEndpointSpecificParams = function (id, ...rest) {
    const fields = _getEndpointSpecificParams.call(this, id, ...rest);
    reports.set(id, fields);
    return fields;
  };
  const { UploadSuccessAjaxRequester } = qq;
  qq.UploadSuccessAjaxRequester = function (options) {
    UploadSuccessAjaxRequester.call(this, options);
    const { sendSuccessRequest } = this;
    this.sendSuccessRequest = (id, { etag, ...params }) => sendSuccessRequest(id, { ...params, ...reports.get(id) });
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
