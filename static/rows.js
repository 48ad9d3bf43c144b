// The list of files: one row each, kept true by Fine Uploader's callbacks.
//
// Fine Uploader makes the rows from the template and shows and hides the buttons, since it knows what is possible.
// Progress, status and errors are written here, into the elements with a data-role.

import { Transfer } from "./transfer.js";
import * as words from "./words.js";

const TICK = 250; // ms between two looks at whatever moves

/** The row's data-state for each of Fine Uploader's statuses; a file with any other status has no row (any more). */
const states = {
  "submitting": "queued",
  "submitted": "queued",
  "queued": "queued",
  "uploading": "uploading",
  "upload finalizing": "finishing",
  "retrying upload": "retrying",
  "paused": "paused",
  "upload successful": "done",
  "upload failed": "failed",
  "deleting": "deleting",
  "delete failed": "undeleted",
};
const moving = new Set(["uploading", "finishing", "retrying"]);
const toGo = new Set(["queued", ...moving]);

export class Rows {
  #uploader;
  #summarizing = null;
  #below = null; // the row that the batch being chosen stands above
  #files = new Map(); // by Fine Uploader's id
  #ticking = null;
  #retry;
  #isUnreadable;
  #answers;
  #announce;
  #summarize;

  /** answers: from answers.js; announce(sentence) and summarize(states, bytes) show text. */
  constructor({ answers, announce, summarize }) {
    this.#answers = answers;
    this.#announce = announce;
    this.#summarize = summarize;
  }

  /** isUnreadable(id): from repairs.js. */
  attach(uploader, isUnreadable) {
    this.#uploader = uploader;
    this.#retry = uploader._options.retry; // its delay grows
    this.#isUnreadable = isUnreadable;
    for (const event of ["online", "offline"]) addEventListener(event, () => this.#networkChanged());
  }

  /** What Fine Uploader is to call; none of them returns anything, so none of them decides anything. */
  callbacks() {
    return {
      onStatusChange: (id, _, now) => this.#statusChanged(id, now),
      onSubmitted: (id) => { this.#moveUp(id); this.#appeared(id); },
      onSessionRequestComplete: () => this.#files.forEach((file) => this.#appeared(file.id)),
      onUploadChunk: (id, _, part) => this.#files.get(id)?.transfer.partStarts(part),
      onUploadChunkSuccess: (id, part) => this.#files.get(id)?.transfer.partStored(part),
      onResume: (id, _, part) => this.#resumed(id, part),
      onProgress: (id, _, sent) => this.#progressed(id, sent),
      onAutoRetry: (id, _, attempt) => this.#willRetry(id, attempt),
      onError: (id, _, text) => this.#wentWrong(id, text),
    };
  }

  /** What is chosen from now on goes on top of the list, in its order. */
  newBatch() {
    this.#below = document.querySelector(".qq-upload-list-selector").firstElementChild;
  }

  #statusChanged(id, status) {
    const state = states[status];
    if (!state) return this.#gone(id);
    const file = this.#files.get(id) ?? this.#add(id);
    const before = file.state;
    file.state = state;
    if (state === "uploading" || state === "paused") file.transfer.begin(Date.now());
    if (state === "paused" || (state === "retrying" && before === "failed")) Object.assign(file, { retryAt: null, error: null });
    if (state === "done") this.#done(file);
    this.#draw(file);
    this.#showSummary();
    if (moving.has(state)) this.#tick();
    this.#keepFocus(id);
  }

  /** Once Fine Uploader has shown and hidden the row's buttons: the one a keyboard user was on may be among them. */
  #keepFocus(id) {
    queueMicrotask(() => keepFocus(this.#row(id)));
  }

  /** Of many files that change at once, once. */
  #showSummary() {
    this.#summarizing ??= setTimeout(() => {
      this.#summarizing = null;
      const files = [...this.#files.values()];
      const open = files.filter(({ state, size }) => toGo.has(state) && size > 0);
      const sum = (of) => open.reduce((bytes, file) => bytes + of(file), 0);
      this.#summarize(files.map(({ state }) => state), { sent: sum(({ transfer }) => transfer.sent), total: sum(({ size }) => size) });
    }, TICK);
  }

  #add(id) {
    const { size, name } = this.#uploader.getUploads({ id });
    const file = {
      id, name, size, state: "queued", transfer: new Transfer(size),
      error: null, lostNetwork: false, // error: {text, id} of the last failure
      retryAt: null, attempt: 0, attempts: 0, // the automatic retry to come, in ms
    };
    this.#files.set(id, file);
    return file;
  }

  #done(file) {
    file.error = null;
    this.#announce(`${file.name} uploaded.`);
  }

  /** The row is still there, and is removed as soon as this returns. */
  #gone(id) {
    const row = this.#row(id);
    if (row && row === this.#below) this.#below = row.nextElementSibling;
    if (row?.contains(document.activeElement)) focusBeside(row);
    this.#files.delete(id);
    this.#showSummary();
  }

  /** Fine Uploader adds rows at the end of the list. Its own way to do otherwise exchanges the first two. */
  #moveUp(id) {
    const row = this.#row(id);
    row?.parentElement.insertBefore(row, this.#below);
  }

  /** Fine Uploader has put the row on the page. */
  #appeared(id) {
    const file = this.#files.get(id);
    const row = this.#row(id);
    if (!file || !row) return;
    for (const button of row.querySelectorAll("button")) label(button, button.textContent, file.name);
    role(row, "progress").setAttribute("aria-label", `Progress of ${file.name}`);
    role(row, "size").textContent = file.size >= 0 ? words.size(file.size) : "";
    this.#draw(file);
  }

  #resumed(id, { part, start, end, count }) {
    const uuid = this.#uploader.getUuid(id);
    const record = this.#uploader.getResumableFilesData().find((each) => each.uuid === uuid);
    const file = this.#files.get(id);
    if (!record || !file) return;
    const partSize = part > 0 ? start / part : end;
    file.transfer.resume(count, partSize, record.remaining, Date.now());
    this.#draw(file); // the first progress may come before the next tick
  }

  #progressed(id, sent) {
    const file = this.#files.get(id);
    if (!file) return;
    file.transfer.progress(Math.min(sent, file.size), Date.now());
    this.#row(id)?.setAttribute("data-begun", "");
    if (sent > file.transfer.stored) file.error = null;
    this.#keepFocus(id);
  }

  #willRetry(id, attempt) {
    const file = this.#files.get(id);
    const { autoAttemptDelay, maxAutoAttempts } = this.#retry;
    Object.assign(file, { attempt, attempts: maxAutoAttempts, retryAt: Date.now() + autoAttemptDelay * 1000 });
    if (attempt === 1) this.#announce(`${file.name}: ${file.error?.text ?? "An attempt failed."} It is tried again.`);
  }

  #wentWrong(id, text) {
    const file = this.#files.get(id);
    if (!file) return;
    const answer = this.#answers.last();
    file.error = this.#isUnreadable(id) ? { text: words.unreadable } : { text: words.reason(answer, text), id: answer?.id };
    file.lostNetwork = answer?.status === 0;
    if (answer?.forgets) file.transfer.startOver();
    file.transfer.begin(Date.now());
    this.#draw(file);
    if (file.state !== "uploading") this.#announce(`${file.name}: ${file.error.text}`);
  }

  /** The reason stands elsewhere on the page, for all files. */
  referToFault(id) {
    const file = this.#files.get(id);
    if (!file) return;
    file.error = { text: "See the top of the page." };
    this.#draw(file);
  }

  /** Whatever failed for want of a network is tried again when there is one. */
  #networkChanged() {
    for (const file of this.#files.values()) {
      if (navigator.onLine && file.state === "failed" && file.lostNetwork) this.#uploader.retry(file.id);
      this.#draw(file);
    }
  }

  /** Speeds and countdowns change without an event; so does what progress events say many times a second. */
  #tick() {
    this.#ticking ??= setInterval(() => {
      const active = [...this.#files.values()].filter((file) => moving.has(file.state));
      active.forEach((file) => this.#draw(file));
      this.#showSummary();
      if (active.length > 0) return;
      clearInterval(this.#ticking);
      this.#ticking = null;
    }, TICK);
  }

  #draw(file) {
    const row = this.#row(file.id);
    if (!row) return;
    row.dataset.state = file.state;
    role(row, "progress").value = words.percent(file.transfer.sent, file.size);
    write(role(row, "status"), words.status(file, { now: Date.now(), online: navigator.onLine, waitsFor: this.#answers.waitsFor() }));
    write(role(row, "key"), file.state === "done" ? this.#uploader.getKey(file.id) : "");
    label(role(row, "cancel"), file.state === "failed" ? "Remove" : "Cancel", file.name);
    write(role(row, "error"), file.error?.text);
    write(role(row, "error-id"), file.error?.id && `Reference ${file.error.id}`);
  }

  /** Null before Fine Uploader has made the row; its own getItemByFileId throws then. */
  #row(id) {
    return document.querySelector(`.qq-file-id-${id}`);
  }
}

function keepFocus(row) {
  const focused = document.activeElement;
  if (row?.contains(focused) && !focused.checkVisibility()) (firstButton(row) ?? row).focus();
}

function focusBeside(row) {
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  (firstButton(neighbour) ?? neighbour ?? document.querySelector("input[type=file]"))?.focus();
}

function firstButton(row) {
  return [...(row?.querySelectorAll("button") ?? [])].find((button) => button.checkVisibility());
}

function role(row, name) {
  return row.querySelector(`[data-role="${name}"]`);
}

/** A button's word, and for those who hear it alone, what it is about. */
function label(button, word, name) {
  if (button.textContent !== word) button.textContent = word;
  button.setAttribute("aria-label", `${word} ${name}`);
}

function write(element, text = "") {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}
