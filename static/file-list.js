// The list of files, one row each, updated by Fine Uploader's callbacks.
//
// Fine Uploader creates the rows from the template and shows or hides their buttons. This module writes progress,
// status and errors into the elements with a data-role.

import { findRole, firstButton, focusNeighbour, setLabel, setText } from "./dom.js";
import * as messages from "./messages.js";
import { Progress } from "./progress.js";

const INTERVAL = 250; // ms between two updates of what changes all the time

/** data-state of a row by Fine Uploader's status. Files with another status have no row. */
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
  "delete failed": "delete-failed",
};
/** data-state of a file from the session list; of a file that this page did not report, only its existence is known. */
const reportStates = new Set(["earlier", "unreported", "rejected", "done"]);
const deleteStates = new Set(["deleting", "delete-failed"]);
const activeStates = new Set(["uploading", "finishing", "retrying"]);

export class FileList {
  #uploader;
  #retryOptions;
  #fileErrors;
  #responses;
  #storedParts;
  #announce;
  #showSummary;
  #files = new Map(); // by Fine Uploader's id
  #batchEnd = null; // the row below the batch being added
  #summaryTimer = null;
  #updateTimer = null;

  /**
   * responses: from responses.js. storedParts(id) returns the parts of a resumed file, as Progress wants them.
   * announce(sentence) and showSummary(states, bytes) show texts.
   */
  constructor({ responses, storedParts, announce, showSummary }) {
    this.#responses = responses;
    this.#storedParts = storedParts;
    this.#announce = announce;
    this.#showSummary = showSummary;
  }

  /** fileErrors: a Map from file ids to sentences, as in retries.js. */
  attach(uploader, fileErrors) {
    this.#uploader = uploader;
    this.#retryOptions = uploader._options.retry; // retries.js changes the delay
    this.#fileErrors = fileErrors;
    for (const event of ["online", "offline"]) addEventListener(event, () => this.#networkChanged());
  }

  /** The callbacks for Fine Uploader. None returns a value. */
  callbacks() {
    const forFile = (callback) => (id, ...args) => {
      const file = this.#files.get(id);
      if (file) callback(file, ...args);
    };
    return {
      onStatusChange: (id, _, status) => this.#statusChanged(id, status),
      onSubmitted: forFile((file) => { this.#moveToBatch(file); this.#rowAdded(file); }),
      onSessionRequestComplete: () => this.#files.forEach((file) => this.#rowAdded(file)),
      onUploadChunk: forFile((file, _, part) => file.progress.partStarted(part)),
      onUploadChunkSuccess: forFile((file, part) => file.progress.partStored(part)),
      onResume: forFile((file) => this.#resumed(file)),
      onProgress: forFile((file, _, sent) => this.#progressed(file, sent)),
      onAutoRetry: forFile((file, _, retry) => this.#retryScheduled(file, retry)),
      onError: forFile((file, _, text) => this.#failed(file, text)),
    };
  }

  /** The files added from now on go to the top of the list, in their order. */
  startBatch() {
    this.#batchEnd = document.querySelector(".qq-upload-list-selector").firstElementChild;
  }

  /** The cause of a file's last error is known. */
  explainError(id, text) {
    const file = this.#files.get(id);
    if (!file?.error) return;
    file.error = { ...file.error, text };
    this.#render(file);
  }

  /** Shows what a Reports knows of a file of an earlier visit: "unreported", "rejected" or "done", and the error. */
  showReport(id, state, error) {
    const file = this.#files.get(id);
    if (!file || !reportStates.has(file.state)) return; // it is being deleted
    Object.assign(file, { state, error });
    this.#rowAdded(file); // perhaps by the Reports
    this.#updateSummary();
  }

  /** Shows how much of a file is compared with the stored parts, from 0 to 1; null at the end. */
  showCheck(id, share) {
    const file = this.#files.get(id);
    if (file) file.checked = share; // the next update shows it
  }

  /** A signature for a file will be requested again, for the given time. */
  signatureDelayed(id, retry) {
    const file = this.#files.get(id);
    if (!file) return;
    file.waitsForSignature = true;
    this.#setError(file);
    this.#retryScheduled(file, retry);
    this.#render(file);
  }

  signatureReceived(id) {
    const file = this.#files.get(id);
    if (!file) return;
    file.waitsForSignature = false;
    file.error = null;
    this.#render(file);
  }

  /** A resumed file starts over; reason is "different" or "unknown", from a ContentCheck. */
  startedOver(id, reason) {
    const file = this.#files.get(id);
    file.note = messages.startsOver[reason];
    file.progress.start(Date.now());
    this.#announce(`${file.name}: ${file.note}`);
  }

  #statusChanged(id, status) {
    const state = states[status];
    if (!state) return this.#remove(id);
    const isEarlier = state === "done" && !this.#files.has(id); // the session lists it
    const file = this.#files.get(id) ?? this.#add(id);
    const previous = file.state;
    file.waitsForSignature = false;
    file.state = isEarlier ? "earlier" : state;
    if (!deleteStates.has(previous)) file.stateBeforeDelete = previous;
    if (state === "uploading" || state === "paused") file.progress.start(Date.now());
    if (state === "paused" || (state === "retrying" && previous === "failed")) file.retryAt = file.error = null;
    if (file.state === "done") {
      file.error = null;
      this.#announce(`${file.name} uploaded.`);
    }
    this.#render(file);
    this.#updateSummary();
    if (activeStates.has(state)) this.#startUpdates();
    this.#keepFocus(id);
  }

  #add(id) {
    const { size, name } = this.#uploader.getUploads({ id });
    const file = {
      id, name, size, state: "queued", progress: new Progress(size),
      error: null, networkFailed: false, // the last error, {text, id}, and whether there was no response
      retryAt: null, retry: 0, maxRetries: 0, // the next automatic retry; retryAt in ms
      waitsForSignature: false, // the retry is for a signature only
      stateBeforeDelete: null, // counted in the summary until the file is deleted
      checked: null, note: "", // the compared share of the file, from 0 to 1, and what the user should know
    };
    this.#files.set(id, file);
    return file;
  }

  /** Fine Uploader removes the row after this. */
  #remove(id) {
    const row = this.#row(id);
    if (row && row === this.#batchEnd) this.#batchEnd = row.nextElementSibling;
    if (row?.contains(document.activeElement)) focusNeighbour(row);
    this.#files.delete(id);
    this.#updateSummary();
  }

  /** Fine Uploader appends rows to the list; its option to prepend them swaps the first two. */
  #moveToBatch({ id }) {
    const row = this.#row(id);
    // With the option multiple: false, Fine Uploader has removed the other rows.
    row?.parentElement.insertBefore(row, this.#batchEnd?.isConnected ? this.#batchEnd : null);
  }

  #rowAdded(file) {
    const row = this.#row(file.id);
    if (!row) return;
    for (const button of row.querySelectorAll("button")) setLabel(button, button.textContent, file.name);
    findRole(row, "progress").setAttribute("aria-label", `Progress of ${file.name}`);
    findRole(row, "size").textContent = file.size >= 0 ? messages.size(file.size) : "";
    this.#render(file);
  }

  #resumed(file) {
    file.progress.resume(this.#storedParts(file.id), Date.now());
    this.#render(file); // the first progress event may come before the next update
  }

  #progressed(file, sent) {
    file.progress.update(Math.min(sent, file.size), Date.now());
    this.#row(file.id)?.setAttribute("data-started", "");
    if (sent > file.progress.stored && !file.waitsForSignature) file.error = null;
    this.#keepFocus(file.id);
  }

  #retryScheduled(file, retry) {
    const { autoAttemptDelay, maxAutoAttempts } = this.#retryOptions;
    Object.assign(file, { retry, maxRetries: maxAutoAttempts, retryAt: Date.now() + autoAttemptDelay * 1000 });
    if (retry === 1) this.#announce(`${file.name}: ${file.error?.text ?? "The upload failed."} Retrying.`);
  }

  #failed(file, text) {
    const response = this.#responses.last();
    this.#setError(file, text);
    file.networkFailed = response?.status === 0;
    if (response?.discardsParts) file.progress.reset();
    file.progress.start(Date.now());
    this.#render(file);
    if (file.state !== "uploading") this.#announce(`${file.name}: ${file.error.text}`);
  }

  /** text is Fine Uploader's own. */
  #setError(file, text) {
    const response = this.#responses.last();
    if (this.#fileErrors.has(file.id)) file.error = { text: this.#fileErrors.get(file.id) };
    else file.error = { text: messages.errorText(response, text), id: response?.id };
  }

  /** Retries files that failed without a network when it is back. */
  #networkChanged() {
    for (const file of this.#files.values()) {
      if (navigator.onLine && file.state === "failed" && file.networkFailed) this.#uploader.retry(file.id);
      this.#render(file);
    }
  }

  /** Updates speeds and countdowns, for which there are no events, and progress, for which there are too many. */
  #startUpdates() {
    this.#updateTimer ??= setInterval(() => {
      const active = [...this.#files.values()].filter(({ state }) => activeStates.has(state));
      for (const file of active) this.#render(file);
      this.#updateSummary();
      if (active.length > 0) return;
      clearInterval(this.#updateTimer);
      this.#updateTimer = null;
    }, INTERVAL);
  }

  /** Many calls result in one update. */
  #updateSummary() {
    this.#summaryTimer ??= setTimeout(() => {
      this.#summaryTimer = null;
      const bytes = { sent: 0, total: 0 };
      for (const { state, size, progress } of this.#files.values()) {
        if (size <= 0 || (state !== "queued" && !activeStates.has(state))) continue;
        bytes.sent += progress.sent;
        bytes.total += size;
      }
      const counted = ({ state, stateBeforeDelete }) => (deleteStates.has(state) ? stateBeforeDelete : state);
      this.#showSummary([...this.#files.values()].map(counted), bytes);
    }, INTERVAL);
  }

  #render(file) {
    const row = this.#row(file.id);
    if (!row) return;
    const { state, size, progress, error } = file;
    const isServerPending = this.#responses.isServerPending();
    const context = { now: Date.now(), online: navigator.onLine, isServerPending };
    row.dataset.state = state;
    findRole(row, "progress").value = messages.percent(progress.sent, size);
    setText(row, "status", messages.status(file, context));
    setText(row, "key", reportStates.has(state) ? this.#uploader.getKey(file.id) : "");
    setText(row, "note", file.note);
    setText(row, "error", error?.text);
    setText(row, "error-id", error?.id && `Reference ${error.id}`);
    setLabel(findRole(row, "cancel"), state === "failed" ? "Remove" : "Cancel", file.name);
  }

  /** Moves the keyboard focus if Fine Uploader, which runs after this, hides the button that has it. */
  #keepFocus(id) {
    queueMicrotask(() => {
      const row = this.#row(id);
      const focused = document.activeElement;
      if (row?.contains(focused) && !focused.checkVisibility()) (firstButton(row) ?? row).focus();
    });
  }

  /** Null before Fine Uploader has created the row; its own getItemByFileId would throw then. */
  #row(id) {
    return document.querySelector(`.qq-file-id-${id}`);
  }
}
