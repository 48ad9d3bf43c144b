// Faults of Fine Uploader 5.16.2 that the page mends from outside. The library's last version has them all.
//
// What wraps qq.createXhrInstance or qq.s3.RequestSigner is called before the uploader is made; what it returns, and what
// takes the uploader, after. lastAnswer is from answers.js.

import { isolated } from "./words.js";

/** Does something with every request that qq makes from now on, before Fine Uploader has it. */
export function withEveryRequest(qq, prepare) {
  const create = qq.createXhrInstance;
  qq.createXhrInstance = function () {
    const xhr = create.call(qq);
    prepare(xhr);
    return xhr;
  };
}

/**
 * Puts another method in the place of that of every qq.s3 object of that name, made by wrap from its own and its options.
 * Prepare changes the options before the object has them.
 */
export function withEvery(qq, name, method, wrap, prepare = (options) => options) {
  const Original = qq.s3[name];
  qq.s3[name] = function (options) {
    Original.call(this, prepare(options));
    this[method] = wrap(this[method], options);
  };
  qq.s3[name].prototype = Original.prototype;
}

/** Puts another getSignature in the place of every signer's, made from the signer's own. */
export const withEverySigner = (qq, wrap) => withEvery(qq, "RequestSigner", "getSignature", wrap);

/** The file's id in the id of a signature request: 7 for the file's own, "7.3" for its part 3. */
const fileOf = (id) => parseInt(id, 10);
const isPart = (id) => typeof id === "string";

/**
 * Pause and Cancel abort every request of a file, but a request still waiting for its signature is not open yet, so
 * nothing is aborted and it goes out when the signature comes: a cancelled file is stored, a paused part is sent twice
 * and the upload starts over with "not in ascending order". From here on, what was aborted is never sent.
 */
export function abortedStaysAborted(qq) {
  withEveryRequest(qq, (xhr) => {
    const { abort } = xhr;
    xhr.abort = function () {
      if (xhr.readyState === XMLHttpRequest.UNSENT) xhr.open = xhr.setRequestHeader = xhr.send = () => {};
      abort.call(xhr);
    };
  });
}

/**
 * After a failure, a pause or a new start Fine Uploader asks for the parts' signatures anew, while older requests for
 * them may still wait for their answers. It keeps them by file and part: the newer overwrites the older, which then loses
 * a place in the queue of three for good, and after three of them the upload stands still. And an older one that is
 * answered after all ends the newer attempt, or sends a part of a file that is paused, cancelled or starts over. From
 * here on every request has an id of its own, and what an older attempt has asked for is of no interest any more.
 */
export function onlyTheLatestAttempt(qq) {
  const attempts = new Map(); // by the file's id: how many there were
  let asked = 0;
  let isStopped = () => false;
  withEverySigner(qq, (ask) => (id, toSign) => {
    if (!isPart(id)) return ask(id, toSign);
    const file = fileOf(id);
    const attempt = attempts.get(file);
    const wanted = new qq.Promise();
    const ifWanted = (tell) => (...args) => attempts.get(file) === attempt && !isStopped(file) && tell(...args);
    ask(`${id}.${++asked}`, toSign).then(ifWanted(wanted.success), ifWanted(wanted.failure));
    return wanted;
  });
  return (uploader) => {
    isStopped = (id) => [qq.status.CANCELED, qq.status.PAUSED].includes(uploader.getUploads({ id })?.status);
    for (const action of ["_onAutoRetry", "continueUpload", "retry"]) {
      const act = uploader[action];
      uploader[action] = function (id, ...rest) {
        attempts.set(id, (attempts.get(id) ?? 0) + 1);
        return act.call(this, id, ...rest);
      };
    }
  };
}

/** How often a file may start over before it counts as failed, by what the store says; else once. */
const startsAllowed = { NoSuchUpload: 3 };

/**
 * When the store has lost an upload, the first part that learns of it makes Fine Uploader forget all parts and start
 * over, but it stumbles over its own log message, in which it counts parts that it has just forgotten, and the file
 * stands still for ever. If it did not, the other parts under way would learn of it, too, and each would start the file
 * once more; and because every stored part sets its count of attempts back to none, a file that can never be put
 * together would be sent again and again. From here on, a file that starts over does so once at a time and a few times
 * at most, and leaves no request under way.
 */
export function startsOverOnce(qq, lastAnswer) {
  toleratesNothing(qq);
  const requestsBeside = groupByUpload(qq);
  const starts = new Map(); // by the file's id: how often it has started over since somebody pressed Retry
  return (uploader) => {
    const { _onAutoRetry, retry } = uploader;
    uploader._onAutoRetry = function (id, name, response, xhr, ...rest) {
      const answer = lastAnswer();
      if (answer?.startsOver) {
        requestsBeside(xhr).forEach(silence);
        starts.set(id, (starts.get(id) ?? 0) + 1);
        if (starts.get(id) > (startsAllowed[answer.code] ?? 1)) return false;
      }
      return _onAutoRetry.call(this, id, name, response, xhr, ...rest);
    };
    uploader.retry = function (id) {
      starts.delete(id);
      return retry.call(this, id);
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
  withEveryRequest(qq, (xhr) => {
    const { open } = xhr;
    xhr.open = function (method, url, ...rest) {
      uploads.set(xhr, new URL(url, document.baseURI).searchParams.get("uploadId"));
      return open.call(xhr, method, url, ...rest);
    };
    xhr.addEventListener("loadend", () => uploads.delete(xhr));
  });
  return (xhr) => {
    const upload = uploads.get(xhr);
    return upload ? [...uploads.keys()].filter((other) => other !== xhr && uploads.get(other) === upload) : [];
  };
}

/**
 * A part's ETag is needed to put the parts together. Where the bucket's CORS rules do not expose it, Fine Uploader
 * notices nothing, sends all parts, and is told InvalidPart in the end. From here on such a part has failed.
 */
export function partsNeedETags(qq) {
  withEveryRequest(qq, (xhr) => {
    const { open } = xhr;
    let isPartRequest = false;
    xhr.open = function (method, url, ...rest) {
      isPartRequest = method === "PUT" && url.includes("partNumber=");
      return open.call(this, method, url, ...rest);
    };
    xhr.addEventListener("readystatechange", () => {
      if (xhr.readyState !== XMLHttpRequest.DONE || !isPartRequest || xhr.status !== 200 || xhr.getResponseHeader("ETag")) return;
      xhr.hidesETag = true;
      Object.defineProperty(xhr, "status", { value: 0 });
    });
  });
}

const SHORT = 60_000;          // ms that a request without a file may take
const ENDING = 15 * 60_000;    // ms that the store may take to put the parts together
const PATIENCE = 60_000;       // ms in which something of a file must move
const MOST_PATIENCE = 240_000; // ms
const BACK = 10_000;           // ms, the same, when the browser is back online

/**
 * A computer that wakes up, or moves to another network, may have connections that are dead without having been closed.
 * Fine Uploader waits for them for ever. From here on, a file or a part of which nothing moves any more counts as lost,
 * and is tried again; so does a request without an answer. On a line so slow that this is wrong, it is wrong a few times
 * only: with each time a file's patience doubles, up to four minutes, until something of it is stored.
 */
export function stalledIsLost(qq, times = { short: SHORT, ending: ENDING, patience: PATIENCE, most: MOST_PATIENCE, back: BACK }) {
  const patience = new Map(); // by file: {ms, at}, where at is when it was last lost
  withEveryRequest(qq, (xhr) => {
    const { open, send } = xhr;
    let url = "", ends = false;
    xhr.open = function (method, asked, ...rest) {
      url = asked;
      ends = method === "POST" && asked.includes("uploadId=");
      return open.call(this, method, asked, ...rest);
    };
    xhr.send = function (body) {
      if (body instanceof Blob) watch(xhr, url.split("?")[0]);
      else if (body instanceof FormData) watch(xhr, body.get("key"));
      else xhr.timeout = ends ? times.ending : times.short;
      return send.call(xhr, body);
    };
  });

  function watch(xhr, file) {
    let alarm = null;
    const wait = (ms = patience.get(file)?.ms ?? times.patience) => {
      clearTimeout(alarm);
      alarm = setTimeout(lose, ms);
    };
    const lose = () => {
      const { ms, at } = patience.get(file) ?? { ms: times.patience, at: 0 };
      if (Date.now() - at > ms / 2) patience.set(file, { ms: Math.min(2 * ms, times.most), at: Date.now() }); // its parts stall together
      xhr.abort();
    };
    const backOnline = () => wait(times.back);
    xhr.addEventListener("loadstart", () => wait());
    xhr.upload.addEventListener("progress", () => wait());
    addEventListener("online", backOnline);
    xhr.addEventListener("loadend", () => {
      clearTimeout(alarm);
      removeEventListener("online", backOnline);
      if (xhr.status === 200 || xhr.status === 204) patience.delete(file);
    });
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

const LONGEST_DELAY = 60; // s between two attempts

/**
 * Fine Uploader repeats a refusal as often as a lost connection, counts attempts without a network like others, and
 * waits the same few seconds before each. From here on, a refusal is shown at once, and the Retry button stays for those
 * who know better; without a network a file waits for one; and after every fourth attempt the wait doubles.
 */
export function retriesWhatMayPass(uploader, lastAnswer) {
  const { retry } = uploader._options;
  const shortest = retry.autoAttemptDelay;
  const shouldRetry = uploader._shouldAutoRetry;
  uploader._shouldAutoRetry = function (id) {
    if (lastAnswer()?.final) return false;
    if (!navigator.onLine && this._autoRetries[id] > 0) this._autoRetries[id]--;
    const will = shouldRetry.call(this, id);
    const doublings = Math.floor(((this._autoRetries[id] ?? 1) - 1) / 4);
    retry.autoAttemptDelay = Math.max(shortest, Math.min(LONGEST_DELAY, shortest * 2 ** doublings));
    return will;
  };
}

/**
 * A file that was changed, moved or removed after it was chosen cannot be read any more. Fine Uploader calls that a
 * problem with the signature (version 4) or the network (version 2) and tries again. From here on it is final.
 * The returned function tells whether a file cannot be read.
 */
export function unreadableIsFinal(uploader, lastAnswer) {
  const unreadable = new Set(); // ids
  const { retry } = uploader;
  uploader.retry = function (id) {
    unreadable.delete(id); // the stick is back in its socket
    return retry.call(this, id);
  };
  const shouldRetry = uploader._shouldAutoRetry;
  uploader._shouldAutoRetry = function (id) {
    const answer = lastAnswer();
    if (!answer || (answer.from === "store" && answer.status === 0)) probe(id);
    return !unreadable.has(id) && shouldRetry.call(this, id);
  };
  const autoRetry = uploader._onAutoRetry;
  uploader._onAutoRetry = function (id, name, response, ...rest) {
    if (!lastAnswer() && response.error === "Problem signing the chunk!") unreadable.add(id); // the digest failed, nobody was asked
    return autoRetry.call(this, id, name, response, ...rest);
  };
  const probe = (id) => uploader.getFile(id)?.slice(0, 1).arrayBuffer().catch(() => unreadable.add(id));
  return (id) => unreadable.has(id);
}

/**
 * A file that was retried, or continued, while others go up waits for its turn. Retry stays meanwhile, and puts the file
 * into the queue once more with each press, where it takes a connection for good when the file is cancelled; and Pause
 * does nothing. From here on only what has failed is retried, and what waits can be paused.
 */
export function buttonsMeanWhatTheySay(qq, uploader) {
  const { retry, pauseUpload } = uploader;
  const is = (id, status) => uploader.getUploads({ id })?.status === status;
  uploader.retry = function (id) {
    return is(id, qq.status.UPLOAD_FAILED) && retry.call(this, id);
  };
  uploader.pauseUpload = function (id) {
    if (!is(id, qq.status.QUEUED) || !this._handler.pause(id)) return pauseUpload.call(this, id);
    this._uploadData.setStatus(id, qq.status.PAUSED);
    this._templating.uploadPaused(id);
    return true;
  };
}

/** A text whose placeholders take a name as it is: "$&" means nothing in it, and U+202E turns nothing beside it. */
class Sentence extends String {
  replace(placeholder, value) {
    return new Sentence(super.replace(placeholder, () => isolated(value)));
  }
}

/**
 * Fine Uploader puts names into its sentences by String.replace, in which "$" has a meaning, and the right-to-left marks of
 * a name go on behind it. From here on a name stays a name.
 */
export function namesStayNames({ _options: { messages, deleteFile } }) {
  for (const [code, text] of Object.entries(messages)) {
    if (text.includes("{file}")) messages[code] = new Sentence(text);
  }
  deleteFile.confirmMessage = new Sentence(deleteFile.confirmMessage);
}
