// Starts Fine Uploader with the settings in client_conf.js, and says in words what is wrong when it cannot.
//
// index.html loads this file before the bundle and client_conf.js, so that their errors are seen; it starts when all
// three have run. The uploader is the global `uploader`, as in every Fine Uploader example.

import { watchAnswers } from "./answers.js";
import { hashNatively } from "./hash.js";
import { Records } from "./records.js";
import { abortedStaysAborted, oneSignatureAtATime, quietEmptyXML, refusalsAreFinal, stalledIsLost, startsOverOnce } from "./repairs.js";
import { Rows } from "./rows.js";
import { SetupWatch } from "./setup.js";
import * as words from "./words.js";

const byId = (id) => document.getElementById(id);

/** What is wrong with scripts that could not be loaded or did not run: a sentence by file name. */
const scriptErrors = new Map();
addEventListener("error", ({ target, filename, message, lineno }) => {
  if (target instanceof HTMLScriptElement) scriptErrors.set(fileName(target.src), "It could not be loaded.");
  else if (filename) scriptErrors.set(fileName(filename), `Line ${lineno}: ${message.replace("Uncaught ", "")}.`);
}, true); // load errors do not bubble

addEventListener("DOMContentLoaded", () => {
  const fault = setupFault(globalThis.fine_u_conf);
  if (fault) return showFault(fault);
  try {
    globalThis.uploader = start(fine_u_conf);
  } catch (err) {
    showFault({ title: "Fine Uploader does not start with these settings.", text: err.message, steps: "client_conf.js" });
  }
});

function start(conf) {
  quietEmptyXML();
  hashNatively(qq);
  abortedStaysAborted(qq);
  stalledIsLost(qq);
  const signaturesFirst = oneSignatureAtATime(qq);
  const lastAnswer = watchAnswers(qq, conf);
  const freshStart = startsOverOnce(qq, lastAnswer);
  const records = new Records();
  const rows = new Rows({ retry: conf.retry, lastAnswer, announce: announcer(byId("announcer")), summarize });
  const list = rows.callbacks();
  const setup = new SetupWatch((fault) => (fault ? showFault(fault) : hideFault()));
  const uploader = new qq.s3.FineUploader(withPage(conf, {
    ...list,
    onValidateBatch: clearNotes,
    onStatusChange: (...args) => { list.onStatusChange(...args); keepRecords(records, conf); },
    onUploadChunkSuccess: (...args) => { setup.stored(); list.onUploadChunkSuccess(...args); records.save(); },
    onComplete: (id, name, { success }) => success && setup.uploaded(),
    onError: (...args) => { list.onError(...args); setup.failed(lastAnswer(), location.origin); },
  }));
  refusalsAreFinal(uploader, lastAnswer);
  signaturesFirst(uploader);
  freshStart(uploader);
  rows.attach(uploader);
  showDestination(conf);
  keepFocusOnInput(conf.element);
  byId("starting").remove();
  records.restore().then(() => keepRecords(records, conf));
  return uploader;
}

/** Saves what is known of half-uploaded files, and names those that are not in the list. */
async function keepRecords(records, conf) {
  await records.save();
  const listed = new Set(uploader.getUploads().map(({ uuid }) => uuid));
  const texts = records.unfinished(conf).filter(({ uuid }) => !listed.has(uuid)).map(words.unfinished);
  byId("unfinished").replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

/** The user's settings, with the page's callbacks in front of the user's own, whose answer counts. */
function withPage(conf, ours) {
  const theirs = conf.callbacks ?? {};
  const callbacks = { ...theirs };
  for (const [name, tell] of Object.entries(ours)) {
    callbacks[name] = function (...args) {
      tell(...args);
      return theirs[name]?.apply(this, args);
    };
  }
  return { showMessage: addNote, ...conf, text: { fileInputTitle: "Choose files", ...conf.text }, callbacks };
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

function summarize(states) {
  byId("summary").textContent = words.summary(states);
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
      region.textContent = sentences.length > 2 ? byId("summary").textContent : sentences.join(" ");
    }, 2000);
  };
}

function fileName(url) {
  return new URL(url, document.baseURI).pathname.split("/").pop();
}
