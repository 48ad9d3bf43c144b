// Starts Fine Uploader with the settings in client_conf.js, and says in words what is wrong when it cannot.
//
// index.html loads this file before the bundle and client_conf.js, so that their errors are seen; it starts when all
// three have run. The uploader is the global `uploader`, as in every Fine Uploader example.

import { watchAnswers } from "./answers.js";
import { Leftovers } from "./cancel.js";
import { hashInWorker } from "./hash.js";
import { Records } from "./records.js";
import * as repairs from "./repairs.js";
import { Rows } from "./rows.js";
import { SetupWatch } from "./setup.js";
import { Tabs } from "./tabs.js";
import * as words from "./words.js";

const byId = (id) => document.getElementById(id);

/** What is wrong with scripts that could not be loaded or did not run: a sentence by file name. */
const scriptErrors = new Map();
addEventListener("error", ({ target, filename, message, lineno }) => {
  if (target instanceof HTMLScriptElement) scriptErrors.set(fileName(target.src), "It could not be loaded.");
  else if (filename) scriptErrors.set(fileName(filename), `Line ${lineno}: ${message.replace("Uncaught ", "")}.`);
}, true); // load errors do not bubble

addEventListener("DOMContentLoaded", async () => {
  const fault = setupFault(configuration());
  if (fault) return showFault((await refusedConf()) ?? fault);
  try {
    globalThis.uploader = start(fine_u_conf);
  } catch (err) {
    showFault({ title: "Fine Uploader does not start with these settings.", text: err.message, steps: "client_conf.js" });
  }
});

/** What client_conf.js has set, by var or by const; null if it failed, even half-way. */
function configuration() {
  try {
    return fine_u_conf;
  } catch {
    return null;
  }
}

function start(conf) {
  const records = new Records(conf.resume);
  records.clean();
  repairs.quietEmptyXML();
  hashInWorker(qq);
  repairs.abortedStaysAborted(qq);
  repairs.partsNeedETags(qq);
  repairs.stalledIsLost(qq);
  const latestAttempt = repairs.onlyTheLatestAttempt(qq);
  const answers = watchAnswers(qq, conf);
  const freshStart = repairs.startsOverOnce(qq, answers.last);
  const leftovers = new Leftovers(qq, answers.last);
  const tabs = new Tabs();
  const rows = new Rows({ answers, announce: announcer(byId("announcer")), summarize });
  const list = rows.callbacks();
  const setup = new SetupWatch((fault) => (fault ? showFault(fault) : hideFault()));
  const keep = keeper(records, tabs, conf, async (file) => {
    if (!(await tabs.take(file.uuid))) return; // another tab has, since it was listed
    if (uploader.getUploads().some(({ uuid }) => uuid === file.uuid)) return; // this one has
    const record = records.of(file.uuid); // another tab may have begun anew
    if (record) leftovers.discard(record);
    await records.forget(file.uuid);
    tabs.letGo(file.uuid);
  });
  const uploader = new qq.s3.FineUploader(withPage(conf, {
    ...list,
    onValidateBatch: () => { clearNotes(); rows.newBatch(); },
    onSubmit: (id, name) => refuseOtherTabs(tabs, uploader.getUuid(id), name),
    onStatusChange: (id, before, now) => {
      leftovers.newStatus(id, now);
      const record = now === qq.status.SUBMITTED && records.of(uploader.getUuid(id));
      if (record) leftovers.resumes(id, record);
      list.onStatusChange(id, before, now);
      if (over.has(now)) tabs.letGo(uploader.getUuid(id));
      keep();
    },
    onUploadChunkSuccess: (...args) => { setup.stored(); list.onUploadChunkSuccess(...args); records.save(); },
    onSessionRequestComplete: (reply, success, xhr) => {
      list.onSessionRequestComplete();
      const { error } = success ? {} : reply ?? {};
      setup.serverReports(xhr?.status === 502 ? error : null); // which is about the store
      if (!success) addNote(`Earlier uploads cannot be shown. ${error ?? "Reload the page to try again."}`);
    },
    onComplete: (id, name, { success }) => { if (success) setup.stored(); },
    onError: (id, ...args) => {
      list.onError(id, ...args);
      if (!isUnreadable(id) && setup.failed(answers.last(), { origin: location.origin, online: navigator.onLine })) rows.referToFault(id);
    },
  }, (id) => uploader.getFile(id)?.lastModified));
  repairs.retriesWhatMayPass(uploader, answers.last);
  const isUnreadable = repairs.unreadableIsFinal(uploader, answers.last);
  freshStart(uploader);
  latestAttempt(uploader);
  repairs.buttonsMeanWhatTheySay(qq, uploader);
  repairs.namesStayNames(uploader);
  leftovers.attach(uploader);
  rows.attach(uploader, isUnreadable);
  showDestination(conf);
  keepFocusOnInput(conf.element);
  byId("starting").remove();
  addEventListener("pagehide", () => records.save());
  records.restore().then(keep);
  return uploader;
}

/** Statuses with which an upload is of no more concern to a tab. */
const over = new Set(["upload successful", "canceled", "rejected", "deleted"]);

/** A file that another tab is uploading is not taken: two tabs would send the same parts. */
async function refuseOtherTabs(tabs, uuid, name) {
  if (await tabs.take(uuid)) return;
  addNote(`${words.isolated(name)} is being uploaded in another tab.`);
  throw new Error("another tab");
}

/**
 * The returned function saves what is known of half-uploaded files, and names those that no tab is at, for discard to
 * take away: of many calls, once.
 */
function keeper(records, tabs, conf, discard) {
  let due = null;
  const keep = async () => {
    due = null;
    await records.save();
    const taken = await tabs.taken();
    const listed = new Set(uploader.getUploads().map(({ uuid }) => uuid));
    const left = records.unfinished(conf).filter(({ uuid }) => !listed.has(uuid) && !taken.has(uuid));
    byId("unfinished").replaceChildren(...left.map((file) => unfinishedItem(file, () => discard(file).then(keep))));
  };
  return () => { due ??= setTimeout(keep, 100); };
}

function unfinishedItem(file, discard) {
  const item = document.createElement("li");
  const text = Object.assign(document.createElement("span"), { textContent: words.unfinished(file) });
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Discard", onclick: discard });
  button.setAttribute("aria-label", `Discard ${file.name}`);
  item.append(text, button);
  return item;
}

/**
 * The user's settings, with the page's callbacks in front of the user's own, whose answer counts; one of the page's may
 * make it wait. A file that changed since is another one for resume, though its name and size be the same.
 */
function withPage(conf, ours, version) {
  const theirs = conf.callbacks ?? {};
  const callbacks = { ...theirs };
  for (const [name, tell] of Object.entries(ours)) {
    callbacks[name] = function (...args) {
      const gate = tell(...args);
      const answer = () => theirs[name]?.apply(this, args);
      return gate instanceof Promise ? gate.then(answer) : answer();
    };
  }
  const { customKeys = () => [] } = conf.resume ?? {};
  const resume = { ...conf.resume, customKeys: (id) => [...customKeys(id), version(id)] };
  const messages = { sizeError: "{file} is too large; a file may have {sizeLimit} at most.", emptyError: "{file} is empty, and was not taken.", ...conf.messages };
  return { showMessage: addNote, ...conf, messages, resume, text: { fileInputTitle: "Choose files", sizeSymbols: [" kB", " MB", " GB", " TB", " PB", " EB"], ...conf.text }, callbacks };
}

/** Fine Uploader makes a new file input after every choice, and the keyboard would lose its place. */
function keepFocusOnInput(element) {
  const button = element.querySelector(".qq-upload-button-selector");
  button?.addEventListener("change", () => button.querySelector("input").focus({ preventScroll: true }));
}

function showDestination({ objectProperties = {}, request, validation }) {
  const limit = validation?.sizeLimit;
  const facts = { bucket: objectProperties.bucket, endpoint: request?.endpoint, limit: limit ? `${words.size(limit)} a file` : "" };
  for (const [id, text] of Object.entries(facts)) {
    byId(id).textContent = typeof text === "function" ? "chosen for each file" : text ?? "";
    byId(id).parentElement.hidden = !text;
  }
  byId("destination").hidden = false;
}

// What is wrong with the set-up: {title, text, steps}, where steps names one of the texts in index.html, or null.

function setupFault(conf) {
  return bundleFault() ?? confFault(conf) ?? placeholderFault(conf);
}

function bundleFault() {
  if (globalThis.qq?.s3) return null;
  const error = scriptErrors.get("s3.fine-uploader.min.js") ?? "It is not Fine Uploader for S3.";
  return { title: "static/s3.fine-uploader.min.js is missing or broken.", text: error, steps: "bundle" };
}

function confFault(conf) {
  const error = scriptErrors.get("client_conf.js")
    ?? (!conf ? "It does not set fine_u_conf." : !conf.element ? "The element it names is not on this page." : null);
  return error && { title: "client_conf.js does not work.", text: error, steps: "client_conf.js" };
}

/** What the server says where it does not give client_conf.js out, to one who is not logged in perhaps; null if it does. */
async function refusedConf() {
  if (!scriptErrors.has("client_conf.js")) return null;
  try {
    const answer = await fetch("static/client_conf.js");
    const { error, id } = answer.ok ? {} : await answer.json();
    return error ? { title: "The signing server does not let this page start.", text: words.withReference(error, id), steps: null } : null;
  } catch {
    return null;
  }
}

function placeholderFault({ objectProperties = {}, request = {} }) {
  const values = [objectProperties.bucket, objectProperties.host, request.endpoint, request.accessKey].join(" ");
  const left = [...new Set(values.match(/\b(BUCKET|HOST|ACCESSKEY)\b/g))];
  if (left.length === 0) return null;
  return { title: "client_conf.js is not filled in.", text: `It still has the placeholders ${left.join(", ")}.`, steps: "client_conf.js" };
}

function showFault({ title, text, steps }) {
  byId("starting")?.remove();
  byId("fault-title").textContent = title;
  byId("fault-text").textContent = text;
  for (const element of document.querySelectorAll("[data-steps]")) element.hidden = element.dataset.steps !== steps;
  for (const element of document.querySelectorAll("[data-origin]")) element.textContent = location.origin;
  byId("fault").hidden = false;
}

function hideFault() {
  byId("fault").hidden = true;
}

// Texts outside the list

function summarize(states, bytes) {
  const text = words.summary(states, bytes);
  if (byId("summary").textContent !== text) byId("summary").textContent = text;
}

/** Files that were not taken: one line each, until the next choice. */
function addNote(text) {
  const note = document.createElement("p");
  note.textContent = text;
  byId("notes").append(note);
}

function clearNotes() {
  byId("notes").replaceChildren();
}

/** Says sentences to screen readers, at most one announcement in two seconds: of many files, only how they stand. */
function announcer(region) {
  const waiting = [];
  return (sentence) => {
    if (waiting.push(sentence) > 1) return;
    setTimeout(() => {
      const sentences = waiting.splice(0);
      const text = sentences.length > 2 ? byId("summary").textContent : sentences.join(" ");
      region.textContent = region.textContent === text ? `${text} ` : text; // the same again is announced when it differs
    }, 2000);
  };
}

function fileName(url) {
  return new URL(url, document.baseURI).pathname.split("/").pop();
}
