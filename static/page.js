// Starts Fine Uploader with the settings in client_conf.js, or shows why it cannot start.
//
// The uploader starts when the page's scripts have run. It is the global `uploader`, as in Fine Uploader's examples.

import { UploadCleanup } from "./abort.js";
import { Connections } from "./connections.js";
import { ContentCheck } from "./content-check.js";
import { diagnose } from "./diagnose.js";
import { rejectDuplicateKeys } from "./duplicate-keys.js";
import { FileList } from "./file-list.js";
import * as patches from "./fine-uploader-patches.js";
import { hashInWorker, omitPartDigests } from "./hash.js";
import * as messages from "./messages.js";
import { PartSizes, smallestPartSize } from "./part-sizes.js";
import { Reports } from "./reports.js";
import { watchResponses } from "./responses.js";
import { ResumeStore } from "./resume-store.js";
import * as retries from "./retries.js";
import { SetupErrors } from "./setup-errors.js";
import { retrySignatures } from "./signature-retries.js";
import { findStartupError } from "./startup-errors.js";
import { TabLocks } from "./tab-locks.js";
import { timeOutStalledParts } from "./timeouts.js";
import { createUnfinishedList } from "./unfinished-list.js";
import { UploadQueue } from "./upload-queue.js";

const byId = (id) => document.getElementById(id);

addEventListener("DOMContentLoaded", async () => {
  try {
    const error = await findStartupError(readConfig());
    if (error) return showSetupError(error);
    globalThis.uploader = start(fine_u_conf);
  } catch (err) {
    const title = "Fine Uploader cannot start with these settings.";
    showSetupError({ title, text: err.message, steps: "client_conf.js" });
  }
});

/** Null if client_conf.js failed, even after it declared the variable. */
function readConfig() {
  try {
    return fine_u_conf;
  } catch {
    return null;
  }
}

function start(conf) {
  const store = new ResumeStore(conf.resume);
  store.removeInvalid();
  store.onFull(() => addNote("The browser's storage for this page is full. If the page is closed, unfinished uploads "
    + "have to start over."));

  // Each patch wraps those before it, so the order matters.
  const connections = new Connections(qq, conf.maxConnections);
  const parts = new PartSizes(qq, connections, conf);
  patches.parseEmptyResponses();
  const hasher = hashInWorker(qq);
  if (conf.signature?.unsignedPayload && /^https:/i.test(conf.request?.endpoint)) omitPartDigests(qq);
  patches.stopAbortedRequests(qq);
  patches.requireETags(qq);
  patches.signContentType(qq);
  patches.sendEmptyFiles(qq);
  patches.reportUnreadableEntries(qq, (paths) => addNote(messages.unreadableEntries(paths)));
  patches.sendSpacedNamesInParts(qq);
  timeOutStalledParts(qq);
  const responses = watchResponses(qq, conf);
  const attachSignatures = retrySignatures(qq, responses.last, connections, {
    delayed: (id, retry) => { files.signatureDelayed(id, retry); explain(id, responses.last()); },
    received: (id) => files.signatureReceived(id),
  });
  const limitRestarts = retries.limitRestarts(qq, responses);
  const cleanup = new UploadCleanup(qq, responses.last);
  const isInParts = (id) => isSentInParts(uploader, id);
  const queue = new UploadQueue(qq, { connections, parts, isInParts });

  const locks = new TabLocks();
  const reports = new Reports(qq, responses.last, locks);
  let sessionEnded;
  const session = new Promise((resolve) => { sessionEnded = resolve; });
  const isListed = (uuid) => uploader.getUploads().some((upload) => upload.uuid === uuid);
  const updateUnfinished = createUnfinishedList({ conf, store, locks, cleanup, isListed });
  const storedParts = (id) => {
    const { parts: stored = [] } = store.find(uploader.getUuid(id)) ?? {};
    return stored.map(({ number }) => parts.range(id, number - 1));
  };
  const files = new FileList({ responses, storedParts, announce: createAnnouncer(byId("announcer")), showSummary });
  const list = files.callbacks();
  const setupErrors = new SetupErrors(showSetupError);
  const fileErrors = new Map(); // by file id: a sentence, if the file has an error that a retry will not fix
  const setError = (id, sentence) => fileErrors.set(id, sentence);
  const rejectDuplicate = rejectDuplicateKeys(qq, setError);
  const showProgress = (id, share) => files.showCheck(id, share);
  const contentCheck = new ContentCheck(qq, { hasher, parts, isInParts, setError, showProgress });

  const preconnect = createPreconnect(conf.request?.endpoint);
  const uploader = new qq.s3.FineUploader(withPageOptions(conf, {
    ...list,
    onValidateBatch: () => { clearNotes(); files.startBatch(); },
    onSubmit: (id, name) => {
      preconnect();
      return lockUpload(locks, uploader.getUuid(id), name);
    },
    onStatusChange: (id, previous, status) => {
      queue.statusChanged(id, status);
      cleanup.statusChanged(id, status);
      if (status === qq.status.SUBMITTED) {
        const record = store.find(uploader.getUuid(id));
        if (record) cleanup.resume(id, record);
        contentCheck.fileSubmitted(id, record);
      }
      list.onStatusChange(id, previous, status);
      if (status === qq.status.DELETED) reports.remove(id);
      if (finalStatuses.has(status)) locks.release(uploader.getUuid(id));
      updateUnfinished();
    },
    onUpload: (id) => rejectDuplicate(uploader, id) ?? contentCheck.start(id),
    onResume: (id, name, part) => {
      const result = contentCheck.result(id);
      if (result === "same") return list.onResume(id, name, part);
      cleanup.abort(id);
      files.startedOver(id, result);
      return false;
    },
    onUploadChunk: (id, name, part) => {
      list.onUploadChunk(id, name, part);
      return queue.partStarted(id, part.partIndex);
    },
    onUploadChunkSuccess: (id, part, response, xhr) => {
      contentCheck.partStored(id, part, xhr.getResponseHeader("ETag"));
      setupErrors.uploadSucceeded();
      list.onUploadChunkSuccess(id, part);
      store.save();
    },
    onSessionRequestComplete: (response, success, xhr) => {
      list.onSessionRequestComplete();
      sessionEnded();
      const { error } = success ? {} : response ?? {};
      setupErrors.setStoreError(xhr?.status === 502 ? error : null); // 502: the server cannot use the store
      const total = success && xhr.getResponseHeader("X-Total-Count");
      if (total) addNote(messages.moreEarlierUploads(Number(total)));
      if (!success) addNote(`Earlier uploads cannot be shown. ${error ?? "Reload the page to try again."}`);
    },
    onComplete: (id, name, { success }) => {
      if (!success) return;
      setupErrors.uploadSucceeded();
      reports.remove(id);
    },
    onError: (id, name, text) => {
      reports.failed(id);
      list.onError(id, name, text);
      explain(id, responses.last());
    },
  }, (id) => uploader.getFile(id)?.lastModified));

  async function explain(id, response) {
    if (!response || !navigator.onLine || fileErrors.has(id)) return;
    if (response.status === 0 && !(await isReadable(id))) return files.explainError(id, messages.unreadableFile);
    const cause = await diagnose(response, conf, uploader._endpointStore.get(id));
    if (cause) files.explainError(id, cause.text);
    setupErrors.uploadFailed(response, cause);
  }

  retries.retryTransientErrors(uploader, responses.last);
  const isReadable = retries.failFilesWithErrors(uploader, responses.last, fileErrors);
  limitRestarts(uploader);
  attachSignatures(uploader);
  patches.fixButtons(qq, uploader);
  patches.validateWithoutTimers(uploader);
  patches.escapeNames(uploader);
  patches.keepReportFields(qq, uploader);
  cleanup.attach(uploader);
  files.attach(uploader, fileErrors);
  contentCheck.attach(uploader);
  reports.attach(uploader);
  if (!conf.session?.endpoint) sessionEnded();
  session.then(() => reports.restore(conf.resume?.owner, {
    show: (...report) => files.showReport(...report),
    accepted: (uuid) => store.remove(uuid).then(updateUnfinished),
  }));

  showDestination(conf);
  keepFocusOnInput(conf.element);
  byId("upload").hidden = conf.autoUpload !== false;
  byId("upload").onclick = () => uploader.uploadStoredFiles();
  byId("starting").remove();
  addEventListener("pagehide", () => { store.save(); reports.save(); });
  store.restore().then(updateUnfinished);
  return uploader;
}

function isSentInParts(uploader, id) {
  const { enabled, mandatory, partSize } = uploader._options.chunking;
  const size = uploader.getSize(id);
  return enabled && (mandatory || size > (typeof partSize === "function" ? partSize(id, size) : partSize));
}

/** Statuses after which a tab no longer needs the lock of an upload. */
const finalStatuses = new Set(["upload successful", "canceled", "rejected", "deleted"]);

/** Returns a function that connects to the store, so that the first request has a connection. */
function createPreconnect(endpoint) {
  return () => {
    if (typeof endpoint !== "string") return;
    const link = Object.assign(document.createElement("link"), { rel: "preconnect", href: endpoint, crossOrigin: "" });
    document.head.append(link);
    link.remove();
  };
}

/** Rejects a file that another tab is uploading. */
async function lockUpload(locks, uuid, name) {
  if (await locks.acquire(uuid)) return;
  addNote(`${messages.bidiIsolate(name)} is being uploaded in another tab.`);
  throw new Error("another tab");
}

/**
 * Returns the user's options with the page's defaults and callbacks. The page's callbacks run before the user's, whose
 * return values count. A callback of the page that returns a promise delays the user's, or prevents it by rejecting; one
 * that returns false prevents it too.
 * version(id) makes Fine Uploader treat a changed file as another one when it looks for a file to resume.
 */
function withPageOptions(conf, pageCallbacks, version) {
  const userCallbacks = conf.callbacks ?? {};
  const callbacks = { ...userCallbacks };
  for (const [name, pageCallback] of Object.entries(pageCallbacks)) {
    callbacks[name] = function (...args) {
      const result = pageCallback(...args);
      if (result === false) return false;
      const callUser = () => userCallbacks[name]?.apply(this, args);
      return result instanceof Promise ? result.then(callUser) : callUser();
    };
  }
  const { customKeys = () => [] } = conf.resume ?? {};
  return {
    showMessage: addNote,
    ...conf,
    chunking: { partSize: (id, size) => smallestPartSize(size), ...conf.chunking }, // PartSizes makes them larger
    workarounds: { iosEmptyVideos: false, ...conf.workarounds }, // true: iPhones and iPads offer one file at a time
    messages: {
      sizeError: "{file} is too large; a file may have {sizeLimit} at most.",
      emptyError: "{file} is empty and was not added.",
      ...conf.messages,
    },
    resume: { ...conf.resume, customKeys: (id) => [...customKeys(id), version(id)] },
    signature: withAccessKey(conf),
    text: { fileInputTitle: "Choose files", sizeSymbols: [" kB", " MB", " GB", " TB", " PB", " EB"], ...conf.text },
    callbacks,
  };
}

/** Tells the server with which key pair this page uploads, which it may replace while the page is open. */
function withAccessKey({ request, signature }) {
  const { customHeaders } = signature ?? {};
  const headers = (id) => ({
    "X-Access-Key": request?.accessKey ?? "",
    ...(typeof customHeaders === "function" ? customHeaders(id) : customHeaders),
  });
  return { ...signature, customHeaders: headers };
}

/** Fine Uploader replaces the file input each time files are chosen, which would lose the keyboard focus. */
function keepFocusOnInput(element) {
  const button = element.querySelector(".qq-upload-button-selector");
  button?.addEventListener("change", () => button.querySelector("input").focus({ preventScroll: true }));
}

function showDestination({ objectProperties = {}, request, validation }) {
  const limit = validation?.sizeLimit;
  const values = {
    bucket: objectProperties.bucket,
    endpoint: request?.endpoint,
    limit: limit ? `${messages.size(limit)} a file` : "",
  };
  for (const [id, value] of Object.entries(values)) {
    byId(id).textContent = typeof value === "function" ? "chosen for each file" : value ?? "";
    byId(id).parentElement.hidden = !value;
  }
  byId("destination").hidden = false;
}

/** Shows {title, text, steps}, or nothing for null. steps names the instructions in index.html to show, if any. */
function showSetupError(error) {
  byId("setup-error").hidden = !error;
  if (!error) return;
  const { title, text, steps } = error;
  byId("starting")?.remove();
  byId("setup-error-title").textContent = title;
  byId("setup-error-text").textContent = text;
  for (const element of document.querySelectorAll("[data-steps]")) element.hidden = element.dataset.steps !== steps;
  for (const element of document.querySelectorAll("[data-origin]")) element.textContent = location.origin;
}

function showSummary(states, bytes) {
  const text = messages.summary(states, bytes);
  if (byId("summary").textContent !== text) byId("summary").textContent = text;
}

/** Shows a note until the user chooses files again. */
function addNote(text) {
  const note = document.createElement("p");
  note.textContent = text;
  byId("notes").append(note);
}

function clearNotes() {
  byId("notes").replaceChildren();
}

/**
 * Returns a function that reads sentences to screen readers, at most every two seconds. More than two sentences are
 * replaced by the summary.
 */
function createAnnouncer(region) {
  const sentences = [];
  return (sentence) => {
    if (sentences.push(sentence) > 1) return;
    setTimeout(() => {
      const count = sentences.length;
      const text = count > 2 ? byId("summary").textContent : sentences.join(" ");
      sentences.length = 0;
      region.textContent = region.textContent === text ? `${text} ` : text; // only changed text is read
    }, 2000);
  };
}
