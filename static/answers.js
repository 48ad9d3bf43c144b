// What the server and the store really said.
//
// Fine Uploader 5.16.2 keeps most reasons to itself: of a refused part only "Problem signing the chunk!" is left, of a
// refused initiate "Problem initiating upload request.", of a failed delete a number. But all its requests are made
// by qq.createXhrInstance, and it reports an error while it handles the answer that caused it. So the answer that is
// current inside onError or _shouldAutoRetry is the one that the error is about.

/** Store errors after which Fine Uploader forgets the parts that are stored, and starts over. */
const startingOver = new Set(["NoSuchUpload", "InvalidPart", "InvalidPartOrder"]);

/** With the one that it takes for such an error, and that no new start mends. */
const forgetting = new Set([...startingOver, "EntityTooSmall"]);

/** Store errors with a 4xx status that another attempt can mend: Fine Uploader signs anew, sends anew or starts over. */
const passing = new Set([
  "BadDigest", "ConditionalRequestConflict", "IncompleteBody", "OperationAborted", "RequestTimeout", "RequestTimeTooSkewed",
  "XAmzContentSHA256Mismatch", ...startingOver,
]);

/** Statuses between 400 and 499 that ask for another attempt. */
const later = new Set([408, 425, 429]);

/**
 * Watches every request that qq makes from now on. Of what it returns,
 * last() gives the answer being handled: {from: "server" | "store", option, host, status, message, code, id, kind, final}
 * or null. Status 0: no answer. Final: asking again will not help. Option: the setting with the server's address.
 * startsOver and forgets: what Fine Uploader makes of it.
 * waitsFor() gives the side that everything under way waits for.
 */
export function watchAnswers(qq, conf) {
  const servers = serverEndpoints(conf);
  const create = qq.createXhrInstance;
  const underWay = { server: 0, store: 0 };
  let current = null;
  qq.createXhrInstance = function () {
    const xhr = create.call(qq);
    const url = rememberUrl(xhr);
    const from = () => (serverOf(url(), servers) ? "server" : "store");
    // Aborting its other requests is part of how Fine Uploader handles a failure: the first answer stays current.
    xhr.addEventListener("readystatechange", () => {
      if (xhr.readyState === XMLHttpRequest.DONE) current ??= { xhr, ...read(xhr, url(), servers) };
    });
    xhr.addEventListener("loadstart", () => underWay[from()]++);
    xhr.addEventListener("loadend", () => {
      underWay[from()]--;
      if (current?.xhr === xhr) current = null;
    });
    return xhr;
  };
  return {
    last: () => current,
    waitsFor: () => (underWay.server > 0 && underWay.store === 0 ? "server" : "store"),
  };
}

function serverEndpoints({ signature, uploadSuccess, deleteFile, session }) {
  return Object.entries({ signature, uploadSuccess, deleteFile, session })
    .filter(([, options]) => options?.endpoint)
    .map(([name, options]) => ({ option: `${name}.endpoint`, url: new URL(options.endpoint, document.baseURI) }));
}

function serverOf(url, servers) {
  return servers.find((server) => url.origin === server.url.origin && url.pathname.startsWith(server.url.pathname));
}

/** responseURL is empty when a request fails, so the address is taken from open(). */
function rememberUrl(xhr) {
  const { open } = xhr;
  let asked = "";
  xhr.open = function (method, url, ...rest) {
    asked = url;
    return open.call(this, method, url, ...rest);
  };
  return () => new URL(asked, document.baseURI);
}

function read(xhr, url, servers) {
  const server = serverOf(url, servers);
  const said = server ? readJSON(xhr.responseText) : readStore(xhr);
  const startsOver = startingOver.has(said.code), forgets = forgetting.has(said.code);
  return { from: server ? "server" : "store", option: server?.option, host: url.host, status: xhr.status, final: isFinal(xhr.status, said.code), startsOver, forgets, ...said };
}

function readJSON(text) {
  try {
    const { error, id, kind } = JSON.parse(text);
    return { message: typeof error === "string" ? error : undefined, id, kind };
  } catch {
    return {};
  }
}

/** S3's <Error><Code>…</Code><Message>…</Message></Error>, or what repairs.js found of a part without an ETag. */
function readStore(xhr) {
  if (xhr.hidesETag) return { code: "HiddenETag", final: true };
  if (!/<Error[\s>]/.test(xhr.responseText)) return {};
  const xml = new DOMParser().parseFromString(xhr.responseText, "application/xml");
  return { message: xml.querySelector("Error > Message")?.textContent, code: xml.querySelector("Error > Code")?.textContent };
}

function isFinal(status, code) {
  return status >= 400 && status < 500 && !later.has(status) && !passing.has(code);
}
