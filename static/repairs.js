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
