// The progress of one file: bytes sent, parts that the store has confirmed, speed. No DOM; times are arguments, in ms.

const SPEED_WINDOW = 8000;
const MIN_SPEED_WINDOW = 1500;

export class Progress {
  #size;
  #sent = 0;
  #confirmed = new Map(); // the size of parts, by index
  #samples = []; // [time, bytes sent], oldest first
  #started = 0;

  constructor(size) {
    this.#size = size;
  }

  /** Bytes sent, confirmed or not. */
  get sent() {
    return this.#sent;
  }

  /** Bytes that the store has confirmed. A paused, retried or resumed upload continues from there. */
  get stored() {
    let bytes = 0;
    for (const size of this.#confirmed.values()) bytes += size;
    return bytes;
  }

  /** Starts an attempt: only stored bytes count as sent, and speed measurement restarts. */
  start(now = 0) {
    this.#sent = this.stored;
    this.#samples = [];
    this.#started = now;
  }

  /** The store has lost all parts. */
  reset() {
    this.#confirmed.clear();
  }

  update(sent, now) {
    if (sent < this.#sent) this.#samples = [];
    this.#sent = sent;
    this.#samples.push([now, sent]);
    while (now - this.#samples[0][0] > SPEED_WINDOW) this.#samples.shift();
  }

  /** A part is sent. If it was confirmed before, the upload has started over. */
  partStarted({ partIndex }) {
    if (this.#confirmed.has(partIndex)) this.#confirmed.clear();
  }

  /** part is as Fine Uploader describes it to callbacks; its first byte has the number 1. */
  partStored({ partIndex, startByte, endByte }) {
    this.#confirmed.set(partIndex, endByte - startByte + 1);
  }

  /** Continues the upload of an earlier visit, which left these parts in the store. */
  resume(parts, now = 0) {
    this.#confirmed.clear();
    for (const part of parts) this.partStored(part);
    this.start(now);
  }

  /** Whether anything was sent in this attempt. */
  get hasStarted() {
    return this.#samples.length > 0;
  }

  /** ms since bytes were last sent, or else since the attempt started. */
  idleTime(now) {
    return now - (this.hasStarted ? this.#samples.at(-1)[0] : this.#started);
  }

  /** Bytes per second over the last seconds, falling while nothing is sent; null until it is meaningful. */
  speed(now) {
    if (this.#samples.length < 2) return null;
    const [firstTime, first] = this.#samples[0];
    const [, last] = this.#samples.at(-1);
    if (now - firstTime < MIN_SPEED_WINDOW || last === first) return null;
    return ((last - first) / (now - firstTime)) * 1000;
  }
}
