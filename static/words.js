// Every sentence about a file, made from plain values. No DOM.

const STALLED = 5000; // ms without a byte sent

/** Bytes as people write them, in powers of ten like the file managers. */
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

/** A remaining time, no more exact than it can be. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1 file", "3 files". */
export function files(count) {
  return `${count} ${count === 1 ? "file" : "files"}`;
}

/** Rounded down: 100 % only when it is all there. */
export function percent(bytes, total) {
  return total > 0 ? Math.floor((bytes / total) * 100) : 0;
}

const sentences = {
  queued: () => "Waiting for its turn",
  uploading: (file, where) => uploading(file, where),
  finishing: () => "Finishing",
  retrying: (file, { now, online }) => retrying(file, now, online),
  paused: (file) => `Paused; ${goesOn(file, "will resume", "will start over")}`,
  done: () => "Uploaded",
  failed: (file, { online }) => failed(file, online),
  deleting: () => "Deleting",
  undeleted: () => "Not deleted",
};

/** What is going on with a file; where has the time in ms, whether the browser has a network, and whom all waits for. */
export function status(file, where) {
  return sentences[file.state](file, where);
}

function uploading({ transfer, size: total }, { now, waitsFor }) {
  if (transfer.sent >= total) return "Sent; waiting for the store to confirm";
  const stalled = transfer.quiet(now) > STALLED;
  const waits = stalled ? `, waiting for the ${waitsFor === "server" ? "signing server" : "network"}` : "";
  if (transfer.sent === 0) return `Starting${waits}`;
  if (!transfer.moving) return `Resuming at ${percent(transfer.sent, total)} %${waits}`;
  if (stalled) return share(transfer, total) + waits;
  const rate = transfer.rate(now);
  if (!rate) return share(transfer, total);
  return `${share(transfer, total)}, ${size(rate)}/s, about ${duration((total - transfer.sent) / rate)} left`;
}

function share(transfer, total) {
  return `${percent(transfer.sent, total)} % of ${size(total)}`;
}

function failed(file, online) {
  if (file.lostNetwork && !online) return `Waiting for the network; ${goesOn(file, "will resume", "will start over")}`;
  return file.transfer.stored > 0 ? `Failed; ${goesOn(file, "Retry resumes")}` : "Failed";
}

function retrying(file, now, online) {
  if (!online) return `Waiting for the network; ${goesOn(file, "will resume", "will start over")}`;
  if (file.retryAt === null) return "Waiting for its turn";
  const seconds = Math.ceil((file.retryAt - now) / 1000);
  const when = seconds > 0 ? `in ${seconds} s` : "now";
  return `Retrying ${when} (${file.attempt} of ${file.attempts})${file.transfer.stored > 0 ? `; ${goesOn(file, "will resume")}` : ""}`;
}

function goesOn({ transfer, size: total }, resumes, startsOver) {
  if (transfer.stored >= total && total > 0) return "all of it is sent";
  return transfer.stored > 0 ? `${resumes} at ${percent(transfer.stored, total)} %` : startsOver;
}

/** A name in a sentence, whose own right-to-left marks end with it (Unicode's FSI and PDI). */
export function isolated(name) {
  return `\u2068${name}\u2069`;
}

/** A sentence of the server's, with the id by which its log knows it. */
export function withReference(sentence, id) {
  return id ? `${sentence} (Reference ${id} in its log.)` : sentence;
}

/** An earlier visit's file of which a share of 1 is stored. */
export function unfinished({ name, share }) {
  return `${isolated(name)} stopped at ${percent(share, 1)} %. Choose it again, and it goes on from there.`;
}

export const unreadable = "The file cannot be read any more: it was changed, moved or removed. Choose it again.";

/** Why a request failed: the other side's own sentence where it gave one. */
export function reason(answer, otherwise) {
  if (!answer) return otherwise;
  if (answer.code === "EntityTooSmall") return "The file went up in parts smaller than the store takes; set chunking.partSize in client_conf.js to 5 MiB or more.";
  if (answer.code === "HiddenETag") return "The bucket's CORS rules hide the ETag of what is stored, without which the parts cannot be put together.";
  if (answer.startsOver) return `The store has lost what was sent, so the file starts over (${answer.code}).`;
  const who = answer.from === "server" ? "The signing server" : "The store";
  if (answer.message) return answer.from === "server" ? answer.message : `${who} says: ${answer.message}${inBrackets(answer.code)}`;
  if (answer.status > 0) return `${who} answered with status ${answer.status}${inBrackets(answer.code)}.`;
  if (answer.from === "server") return "The signing server does not answer.";
  return `The store at ${answer.host} does not answer: no network, or the bucket's CORS rules do not let this page in, or it refused and the browser hides why.`;
}

function inBrackets(text) {
  return text ? ` (${text})` : "";
}

/** The list in one line; of the files to go, sent of total bytes are on their way. */
export function summary(states, { sent = 0, total = 0 } = {}) {
  if (states.length === 0) return "";
  const count = (...wanted) => states.filter((state) => wanted.includes(state)).length;
  const done = count("done", "deleting", "undeleted");
  const told = [[done, "uploaded"], [count("failed"), "failed"], [count("paused"), "paused"]];
  const toGo = states.length - told.reduce((sum, [n]) => sum + n, 0);
  const parts = [...told, [toGo, "to go"]].filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
  if (states.length > 1 && sent > 0 && sent < total) parts.push(share({ sent }, total));
  return `${files(states.length)}: ${parts.join(", ")}`;
}
