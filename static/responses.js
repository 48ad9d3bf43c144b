// Reads the responses of the signing server and the store.
//
// Fine Uploader 5.16.2 hides most error details: of a rejected part it reports only "Problem signing the chunk!", of
// a rejected initiate "Problem initiating upload request.", of a failed delete a number. But it creates all requests
// with qq.createXhrInstance and reports an error while it handles the response. So the response being handled when
// onError or _shouldAutoRetry is called is the one that the error is about.

import { onNewRequest } from "./intercept.js";

/** Store errors after which Fine Uploader discards the stored parts and starts over. */
const restartCodes = new Set(["NoSuchUpload", "InvalidPart", "InvalidPartOrder"]);

/** The same, and one more that Fine Uploader treats alike although a restart does not help. */
const discardCodes = new Set([...restartCodes, "EntityTooSmall"]);

/** Store errors with a 4xx status that a retry can fix: Fine Uploader signs again, sends again or starts over. */
const transientCodes = new Set([
  "BadDigest", "ConditionalRequestConflict", "IncompleteBody", "OperationAborted", "RequestTimeout",
  "RequestTimeTooSkewed", "XAmzContentSHA256Mismatch", ...restartCodes,
]);

/** 4xx statuses that a retry can fix. */
const transientStatuses = new Set([408, 425, 429]);

/**
 * Watches all requests that Fine Uploader makes from now on. last() returns null, or the response being handled:
 *
 *   from           "server" or "store"
 *   option         the name of the setting with the server's URL
 *   host           the host that the request was sent to
 *   status         0 if there was no response
 *   message, code  as far as the response has them
 *   id, kind       the same, from the server only
 *   retryAfter     s to wait before a retry, if the response says it and the browser shows it
 *   permanent      a retry will not help
 *   restarts       Fine Uploader starts the file over
 *   discardsParts  Fine Uploader discards the stored parts
 *   answeredBefore an earlier response from this host was readable
 *
 * pending maps each pending XMLHttpRequest to its {method, url}. isServerPending() tells whether there are any, and all
 * are to the signing server.
 */
export function watchResponses(qq, conf) {
  const servers = serverEndpoints(conf);
  const pending = new Map();
  const answered = new Set(); // hosts
  let current = null;
  onNewRequest(qq, (xhr, request) => {
    xhr.addEventListener("readystatechange", () => {
      // When Fine Uploader handles a failure it aborts its other requests: the first response stays the current one.
      if (xhr.readyState !== XMLHttpRequest.DONE) return;
      const { host } = request.url;
      current ??= { xhr, ...readResponse(xhr, request.url, servers), answeredBefore: answered.has(host) };
      if (xhr.status > 0) answered.add(host);
    });
    xhr.addEventListener("loadstart", () => pending.set(xhr, request));
    xhr.addEventListener("loadend", () => {
      pending.delete(xhr);
      if (current?.xhr === xhr) current = null;
    });
  });
  const isServerPending = () => {
    return pending.size > 0 && [...pending.values()].every(({ url }) => findServer(url, servers));
  };
  return { last: () => current, pending, isServerPending };
}

function serverEndpoints({ signature, uploadSuccess, deleteFile, session }) {
  return Object.entries({ signature, uploadSuccess, deleteFile, session })
    .filter(([, options]) => options?.endpoint)
    .map(([name, options]) => ({ option: `${name}.endpoint`, url: new URL(options.endpoint, document.baseURI) }));
}

function findServer(url, servers) {
  return servers.find((server) => url.origin === server.url.origin && url.pathname.startsWith(server.url.pathname));
}

function readResponse(xhr, url, servers) {
  const server = findServer(url, servers);
  const details = server ? readServerError(xhr.responseText) : readStoreError(xhr);
  const { status } = xhr;
  return {
    from: server ? "server" : "store",
    option: server?.option,
    host: url.host,
    status,
    retryAfter: readRetryAfter(xhr),
    permanent: status >= 400 && status < 500 && !transientStatuses.has(status) && !transientCodes.has(details.code),
    restarts: restartCodes.has(details.code),
    discardsParts: discardCodes.has(details.code),
    ...details,
  };
}

/** Looks through all headers: Chromium writes an error to the console if a script asks for one that CORS rules hide. */
function readRetryAfter(xhr) {
  const [, seconds] = /^retry-after: *(\d+)\r?$/im.exec(xhr.getAllResponseHeaders()) ?? [];
  return seconds && Number(seconds);
}

function readServerError(text) {
  try {
    const { error, id, kind } = JSON.parse(text);
    return { message: typeof error === "string" ? error : undefined, id, kind };
  } catch {
    return {};
  }
}

/** Reads <Error><Code>…</Code><Message>…</Message></Error>; requireETags sets hidesETag. */
function readStoreError(xhr) {
  if (xhr.hidesETag) return { code: "HiddenETag", permanent: true };
  if (!/<Error[\s>]/.test(xhr.responseText)) return {};
  const xml = new DOMParser().parseFromString(xhr.responseText, "application/xml");
  const text = (name) => xml.querySelector(`Error > ${name}`)?.textContent;
  return { message: text("Message"), code: text("Code") };
}
