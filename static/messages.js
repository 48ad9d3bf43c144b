// The texts about files. No DOM.

const STALL_TIME = 5000; // ms without a byte sent

/** A size in powers of ten, as file managers show it. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  const units = ["kB", "MB", "GB", "TB"];
  let unit = -1;
  do {
    bytes /= 1000;
    unit++;
  } while (bytes >= 999.5 && unit < units.length - 1);
  return `${bytes.toFixed(bytes < 9.95 ? 1 : 0)} ${units[unit]}`;
}

/** A remaining time, rounded. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Rounded down, so that only a complete file has 100 %. */
export function percent(bytes, total) {
  return total > 0 ? Math.floor((bytes / total) * 100) : 0;
}

const statusTexts = {
  queued: () => "Waiting for its turn",
  uploading,
  finishing: () => "Finishing",
  retrying,
  paused: (file) => `Paused; ${resumeText(file, "will resume", "will start over")}`,
  done: () => "Uploaded",
  earlier: () => "Stored earlier",
  unreported: () => "Stored; waiting for the signing server to confirm",
  rejected: () => "Rejected",
  failed,
  deleting: () => "Deleting",
  "delete-failed": () => "Not deleted",
};

/** The status of a file. context: now (ms), online, and isServerPending as in responses.js. */
export function status(file, context) {
  return statusTexts[file.state](file, context);
}

function uploading(file, { now, online, isServerPending }) {
  const { progress, size: total, checked, waitsForSignature } = file;
  if (typeof checked === "number") return `Comparing with the stored parts, ${percent(checked, 1)} %`;
  if (waitsForSignature && !online) return waitingForNetwork(file);
  const reached = position(progress, total);
  if (waitsForSignature) return `${reached}, waiting for the signing server; retrying ${nextRetry(file, now)}`;
  if (progress.sent >= total) return "Sent; waiting for the store to confirm";
  const stalled = progress.idleTime(now) > STALL_TIME;
  const cause = stalled ? `, waiting for the ${isServerPending ? "signing server" : "network"}` : "";
  const speed = progress.speed(now);
  if (stalled || !speed || !progress.hasStarted) return reached + cause;
  const remaining = duration((total - progress.sent) / speed);
  return `${percentOf(progress.sent, total)}, ${size(speed)}/s, about ${remaining} left`;
}

function position({ sent, hasStarted }, total) {
  if (sent === 0) return "Starting";
  return hasStarted ? percentOf(sent, total) : `Resuming at ${percent(sent, total)} %`;
}

function percentOf(bytes, total) {
  return `${percent(bytes, total)} % of ${size(total)}`;
}

function failed(file, { online }) {
  if (file.networkFailed && !online) return waitingForNetwork(file);
  return file.progress.stored > 0 ? `Failed; ${resumeText(file, "Retry resumes")}` : "Failed";
}

function retrying(file, { now, online }) {
  if (!online) return waitingForNetwork(file);
  if (file.retryAt === null) return "Waiting for its turn";
  const text = `Retrying ${nextRetry(file, now)}`;
  return file.progress.stored > 0 ? `${text}; ${resumeText(file, "will resume")}` : text;
}

function nextRetry({ retryAt, retry, maxRetries }, now) {
  const seconds = Math.ceil((retryAt - now) / 1000);
  return `${seconds > 0 ? `in ${seconds} s` : "now"} (${retry} of ${maxRetries})`;
}

function waitingForNetwork(file) {
  return `Waiting for the network; ${resumeText(file, "will resume", "will start over")}`;
}

function resumeText({ progress, size: total }, resumes, startsOver) {
  if (progress.stored >= total && total > 0) return "all of it is sent";
  return progress.stored > 0 ? `${resumes} at ${percent(progress.stored, total)} %` : startsOver;
}

/** Keeps right-to-left marks in a name from changing the text around it, by Unicode's FSI and PDI. */
export function bidiIsolate(name) {
  return `\u2068${name}\u2069`;
}

/** A message of the server with the id of its log line. */
export function withReference(message, id) {
  return id ? `${message} (Reference ${id} in its log.)` : message;
}

/** A file that an earlier visit left with this share, from 0 to 1, in the store. */
export function unfinishedFile({ name, share }) {
  return `${bidiIsolate(name)} stopped at ${percent(share, 1)} %. Choose it again, and it goes on from there.`;
}

/** Why a file that was half uploaded is not resumed, by the result of a ContentCheck. */
export const startsOver = {
  different: "This file differs from the one that was partly uploaded, so it is uploaded from the beginning.",
  unknown: "This file cannot be compared with the parts that are stored, so it is uploaded from the beginning.",
};

/** What was dropped with a folder and cannot be read; at most five paths are named. */
export function unreadableEntries(paths) {
  const names = paths.slice(0, 5).map(bidiIsolate).join(", ");
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : "";
  return `Not added, because the browser cannot read it: ${names}${more}.`;
}

export const unreadableFile =
  "The file cannot be read any more: it was changed, moved or removed. Choose it again.";

export const comparisonFailed =
  "This file cannot be compared with the parts that are stored, because a script of the page did not load. "
  + "Press Retry, or reload the page and choose the file again.";

export const duplicateKey =
  "Another file in this list has the same object key, and this one would overwrite it. "
  + "Delete or remove the other file, then press Retry.";

const storeErrors = {
  EntityTooSmall: "The parts are smaller than the store accepts; "
    + "set chunking.partSize in client_conf.js to 5 MiB or more.",
  HiddenETag: "The bucket's CORS rules hide the ETag header of the parts, which is needed to combine them.",
};

/** Why a request failed. response is from responses.js; defaultText is Fine Uploader's own message. */
export function errorText(response, defaultText) {
  if (!response) return defaultText;
  const { from, host, status, message, code, restarts } = response;
  if (storeErrors[code]) return storeErrors[code];
  if (restarts) return `The store has lost what was sent, so the file starts over (${code}).`;
  const suffix = code ? ` (${code})` : "";
  if (message) return from === "server" ? message : `The store says: ${message}${suffix}`;
  const sender = from === "server" ? "The signing server" : "The store";
  if (status > 0) return `${sender} answered with status ${status}${suffix}.`;
  if (from === "server") return "The signing server does not answer.";
  return `The store at ${host} does not answer.`; // diagnose.js finds out why
}

/** total is how many earlier uploads there are; the server counts the first 10,000 by key. */
export function moreEarlierUploads(total) {
  if (total >= 10_000) return "Of 10,000 or more earlier uploads, only some are shown.";
  return `Of ${total} earlier uploads, only the newest are shown.`;
}

/** The file list in one line. Of the unfinished files, sent of total bytes are uploaded. */
export function summary(states, { sent = 0, total = 0 } = {}) {
  if (states.length === 0) return "";
  const count = (...wanted) => states.filter((state) => wanted.includes(state)).length;
  const counts = [
    [count("done"), "uploaded"],
    [count("earlier"), "stored earlier"],
    [count("failed", "rejected"), "failed"],
    [count("paused"), "paused"],
    [count("queued", "uploading", "finishing", "retrying", "unreported"), "to go"],
  ];
  const parts = counts.filter(([n]) => n > 0).map(([n, label]) => `${n} ${label}`);
  if (states.length > 1 && sent > 0 && sent < total) parts.push(percentOf(sent, total));
  return `${states.length} ${states.length === 1 ? "file" : "files"}: ${parts.join(", ")}`;
}
