// Faults of Fine Uploader 5.16.2 that the page mends from outside. The library's last version has them all.

/**
 * Pause and Cancel abort every request of a file, but a request still waiting for its signature is not open yet, so
 * nothing is aborted and it goes out when the signature comes: a cancelled file is stored, a paused part is sent twice
 * and the upload starts over with "not in ascending order". From here on, what was aborted is never sent.
 */
export function abortedStaysAborted(qq) {
  const create = qq.createXhrInstance;
  qq.createXhrInstance = function () {
    const xhr = create.call(qq);
    xhr.abort = function () {
      if (xhr.readyState === XMLHttpRequest.UNSENT) xhr.open = xhr.setRequestHeader = xhr.send = () => {};
      XMLHttpRequest.prototype.abort.call(xhr);
    };
    return xhr;
  };
}

/**
 * A second signature for a part that still waits for its first one loses a place in Fine Uploader's queue for good, and
 * after three of them the upload stands still. Continue and Retry would ask for it, so they wait for the first to come.
 * Call it before the uploader is made, and what it returns with the uploader.
 */
export function oneSignatureAtATime(qq) {
  const waiting = new Map(); // by the file's id: signatures asked for
  const Signer = qq.s3.RequestSigner;
  qq.s3.RequestSigner = function (options) {
    Signer.call(this, options);
    const ask = this.getSignature;
    this.getSignature = (id, toSign) => {
      const signature = ask(id, toSign);
      const file = parseInt(id, 10); // "7.3" is part 3 of file 7
      const asked = waiting.get(file) ?? new Set();
      waiting.set(file, asked.add(signature));
      return signature.done(() => asked.delete(signature));
    };
  };
  qq.s3.RequestSigner.prototype = Signer.prototype;
  return (uploader) => {
    const deferred = new Set();
    for (const action of ["continueUpload", "retry"]) {
      const act = uploader[action];
      uploader[action] = function attempt(id) {
        const [first] = waiting.get(id) ?? [];
        if (!first) return act.call(this, id);
        if (deferred.has(id)) return true;
        deferred.add(id);
        first.done(() => deferred.delete(id) && attempt.call(this, id));
        return true;
      };
    }
  };
}

/**
 * When the store has lost an upload, the first part that learns of it makes Fine Uploader forget all parts and start
 * over, but it stumbles over its own log message, in which it counts parts that it has just forgotten, and the file
 * stands still for ever. If it did not, the other parts under way would learn of it, too, and each would start the file
 * once more. From here on, a file that starts over does so once, and leaves nothing behind: not a request under way, nor
 * one that waits for its signature. The latter goes for a cancelled file, too.
 * Call it before the uploader is made, and what it returns with the uploader; lastAnswer is from answers.js.
 */
export function startsOverOnce(qq, lastAnswer) {
  toleratesNothing(qq);
  const requestsBeside = groupByUpload(qq);
  const starts = new Map(); // by the file's id: how often it has started over
  let isCanceled = () => false;
  const Signer = qq.s3.RequestSigner;
  qq.s3.RequestSigner = function (options) {
    Signer.call(this, options);
    const ask = this.getSignature;
    this.getSignature = (id, toSign) => {
      const signature = ask(id, toSign);
      if (typeof id !== "string") return signature;
      const file = parseInt(id, 10); // "7.3" is part 3 of file 7
      const start = starts.get(file);
      const wanted = new qq.Promise();
      const ifWanted = (tell) => (...args) => starts.get(file) === start && !isCanceled(file) && tell(...args);
      signature.then(ifWanted(wanted.success), ifWanted(wanted.failure));
      return wanted;
    };
  };
  qq.s3.RequestSigner.prototype = Signer.prototype;
  return (uploader) => {
    isCanceled = (id) => uploader.getUploads({ id })?.status === qq.status.CANCELED;
    const autoRetry = uploader._onAutoRetry;
    uploader._onAutoRetry = function (id, name, response, xhr, ...rest) {
      if (lastAnswer()?.startsOver) {
        starts.set(id, (starts.get(id) ?? 0) + 1);
        requestsBeside(xhr).forEach(silence);
      }
      return autoRetry.call(this, id, name, response, xhr, ...rest);
    };
  };
}

/** Log messages may be about undefined values. */
function toleratesNothing(qq) {
  const { format } = qq;
  qq.format = (text, ...values) => format(text, ...values.map((value) => value ?? "none"));
}

function silence(xhr) {
  xhr.onreadystatechange = null;
  xhr.abort();
}

/** The returned function gives the other requests under way that have the same uploadId. */
function groupByUpload(qq) {
  const uploads = new Map(); // by request
  const create = qq.createXhrInstance;
  qq.createXhrInstance = function () {
    const xhr = create.call(qq);
    const { open } = xhr;
    xhr.open = function (method, url, ...rest) {
      uploads.set(xhr, new URL(url, document.baseURI).searchParams.get("uploadId"));
      return open.call(xhr, method, url, ...rest);
    };
    xhr.addEventListener("loadend", () => uploads.delete(xhr));
    return xhr;
  };
  return (xhr) => {
    const upload = uploads.get(xhr);
    return upload ? [...uploads.keys()].filter((other) => other !== xhr && uploads.get(other) === upload) : [];
  };
}

/**
 * A computer that wakes up, or moves to another network, may have connections that are dead without having been closed.
 * Fine Uploader waits for them for ever. From here on, a file or a part of which nothing has moved for the patience (ms)
 * counts as lost, and is tried again; so does any short request without an answer. On a line so slow that this is wrong,
 * it is wrong a few times only, since the patience doubles. The end of an upload in parts may take the store minutes,
 * and is waited for.
 */
export function stalledIsLost(qq, patience = 60_000) {
  const create = qq.createXhrInstance;
  qq.createXhrInstance = function () {
    const xhr = create.call(qq);
    const { open } = xhr;
    let isShort = true;
    xhr.open = function (method, url, ...rest) {
      isShort = !url.includes("uploadId=");
      return open.call(xhr, method, url, ...rest);
    };
    xhr.send = function (body) {
      if (body instanceof Blob || body instanceof FormData) watch(xhr);
      else if (isShort) xhr.timeout = patience;
      XMLHttpRequest.prototype.send.call(xhr, body);
    };
    return xhr;
  };

  function watch(xhr) {
    let alarm = null;
    const wait = () => {
      clearTimeout(alarm);
      alarm = setTimeout(() => {
        patience *= 2;
        xhr.abort();
      }, patience);
    };
    xhr.addEventListener("loadstart", wait);
    xhr.upload.addEventListener("progress", wait);
    xhr.addEventListener("loadend", () => clearTimeout(alarm));
  }
}

/**
 * An answer that never came is read as XML all the same, and Chromium's note on how it is not XML has inline styles,
 * which the content security policy reports. Nothing is read as an empty document instead.
 */
export function quietEmptyXML() {
  globalThis.DOMParser = class extends DOMParser {
    parseFromString(text, type) {
      return super.parseFromString(text === "" && type === "application/xml" ? "<empty/>" : text, type);
    }
  };
}

/**
 * A refusal is repeated as often as a lost connection. Automatic retry is for what may pass: a refusal is shown at
 * once, and the Retry button stays for those who know better. lastAnswer is from answers.js.
 */
export function refusalsAreFinal(uploader, lastAnswer) {
  const shouldRetry = uploader._shouldAutoRetry;
  uploader._shouldAutoRetry = function (id) {
    return !lastAnswer()?.final && shouldRetry.call(this, id);
  };
}
