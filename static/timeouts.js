// Timeouts for Fine Uploader's requests; version 5.16.2 has none.

import { onNewRequest } from "./intercept.js";

const REQUEST_TIMEOUT = 60_000;       // ms for a request without file content
const COMPLETE_TIMEOUT = 15 * 60_000; // ms for the store to combine the parts
const STALL_TIMEOUT = 60_000;         // ms without upload progress
const MAX_STALL_TIMEOUT = 240_000;    // ms
const ONLINE_TIMEOUT = 10_000;        // ms without upload progress after the browser is back online

/**
 * Aborts requests that make no progress, so that they are retried. After a computer wakes up or changes networks, its
 * connections may be dead without being closed, and Fine Uploader would wait for them forever. The stall timeout of a
 * file doubles each time it expires, so that a slow network is not cut off again and again; it is reset when the store
 * confirms something of the file.
 */
export function timeOutStalledParts(qq) {
  const stalls = new Map(); // by file: the latest {timeout, at}, in ms
  onNewRequest(qq, (xhr, request) => {
    const { send } = xhr;
    xhr.send = function (body) {
      const { method, url } = request;
      if (body instanceof Blob) abortWhenStalled(xhr, stalls, url.origin + url.pathname);
      else if (body instanceof FormData) abortWhenStalled(xhr, stalls, body.get("key"));
      else xhr.timeout = method === "POST" && url.searchParams.has("uploadId") ? COMPLETE_TIMEOUT : REQUEST_TIMEOUT;
      return send.call(xhr, body);
    };
  });
}

function abortWhenStalled(xhr, stalls, file) {
  let timer = null;
  const restartTimer = (ms = stalls.get(file)?.timeout ?? STALL_TIMEOUT) => {
    clearTimeout(timer);
    timer = setTimeout(abort, ms);
  };
  const abort = () => {
    const { timeout, at } = stalls.get(file) ?? { timeout: STALL_TIMEOUT, at: 0 };
    const isNewStall = Date.now() - at > timeout / 2; // the parts of a file stall together and count once
    if (isNewStall) stalls.set(file, { timeout: Math.min(2 * timeout, MAX_STALL_TIMEOUT), at: Date.now() });
    xhr.abort();
  };
  const onOnline = () => restartTimer(ONLINE_TIMEOUT);
  xhr.addEventListener("loadstart", () => restartTimer());
  xhr.upload.addEventListener("progress", () => restartTimer());
  addEventListener("online", onOnline);
  xhr.addEventListener("loadend", () => {
    clearTimeout(timer);
    removeEventListener("online", onOnline);
    if (xhr.status === 200 || xhr.status === 204) stalls.delete(file);
  });
}
