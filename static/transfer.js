// How far one file has come: what was sent, which parts the store has confirmed, how fast it goes. No DOM, no clock.

const WINDOW = 8000;  // ms that the speed looks back
const SETTLED = 1500; // ms of sending before a speed is worth showing

export class Transfer {
  #size;
  #sent = 0;
  #partSize = 0;
  #lastPart = 0;
  #confirmed = new Set();
  #samples = []; // [ms, bytes], oldest first
  #begun = 0;    // ms

  constructor(size) {
    this.#size = size;
  }

  /** Bytes handed to the network, confirmed or not. */
  get sent() {
    return this.#sent;
  }

  /** Bytes that are safe in the store: where a pause, a retry or another visit goes on from. */
  get stored() {
    let bytes = 0;
    for (const part of this.#confirmed) {
      bytes += part < this.#lastPart ? this.#partSize : this.#size - part * this.#partSize;
    }
    return bytes;
  }

  /** A new attempt: speed starts afresh and only what is stored counts as sent. */
  begin(now = 0) {
    this.#sent = this.stored;
    this.#samples = [];
    this.#begun = now;
  }

  /** The store has lost what it had. */
  startOver() {
    this.#confirmed.clear();
  }

  progress(sent, now) {
    if (sent < this.#sent) this.#samples = [];
    this.#sent = sent;
    this.#samples.push([now, sent]);
    while (now - this.#samples[0][0] > WINDOW) this.#samples.shift();
  }

  /** A part is about to go up. One that was confirmed before means that the upload starts over. */
  partStarts({ partIndex, startByte, endByte, totalParts }) {
    this.#partSize = partIndex > 0 ? (startByte - 1) / partIndex : endByte; // startByte counts from 1
    this.#lastPart = totalParts - 1;
    if (this.#confirmed.has(partIndex)) this.#confirmed.clear();
  }

  partStored({ partIndex }) {
    this.#confirmed.add(partIndex);
  }

  /** An earlier visit left the file half uploaded, with the parts in remaining still to send. */
  resume(totalParts, partSize, remaining, now = 0) {
    this.#partSize = partSize;
    this.#lastPart = totalParts - 1;
    this.#confirmed = new Set(Array(totalParts).keys());
    for (const part of remaining) this.#confirmed.delete(part);
    this.begin(now);
  }

  /** Whether anything was sent in this attempt. */
  get moving() {
    return this.#samples.length > 0;
  }

  /** How long ago that was, or the attempt's beginning, in ms. */
  quiet(now) {
    return now - (this.moving ? this.#samples.at(-1)[0] : this.#begun);
  }

  /** Bytes a second over the last seconds, or null while there is nothing honest to say. It falls when nothing moves. */
  rate(now) {
    if (this.#samples.length < 2) return null;
    const [then, before] = this.#samples[0];
    const [, last] = this.#samples.at(-1);
    if (now - then < SETTLED || last === before) return null;
    return ((last - before) / (now - then)) * 1000;
  }
}
