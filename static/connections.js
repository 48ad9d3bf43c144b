// Limits how many files and parts are sent to the store at the same time, and measures how fast they are sent.
//
// Browsers open six connections to a host over HTTP/1.1. Fine Uploader's own limit of three also counts requests that
// still wait for their signature. Here a request counts from the time when its content is sent. The next ones are
// hashed and signed meanwhile.

import { onNewRequest } from "./intercept.js";

const MIN_CONNECTIONS = 3;
const DEFAULT_CONNECTIONS = 6;
const READY_REQUESTS = 2;             // that are signed before a connection is free
const MAX_SIGNATURE_AGE = 5 * 60_000; // ms; stores accept a signature for 15 minutes
const MAX_PART_TIME = 5_000;          // ms that a part of the smallest size should take at most
const RATE_TIME = 2_000;              // ms of sending that the rate is measured over
const MIN_RATE_TIME = 1_000;          // ms of sending after which the rate is known
const BUFFER_SIZE = 512 * 1024;       // bytes of a request that may be in buffers of the system and count as sent

/** The smallest part that S3 accepts, except for the last one of a file; in bytes. */
export const MIN_PART_SIZE = 5 * 1024 * 1024;

export class Connections {
  #max;
  #ready = []; // {file, part, signedAt, send, signAgain}: signed requests that wait for a connection, in their order
  #active = new Map(); // by XMLHttpRequest: whether it sends a part
  #samples = []; // [ms, bytes sent until then], oldest first
  #sent = 0;
  #rate = 0;

  /** max is the largest number of connections. */
  constructor(qq, max = DEFAULT_CONNECTIONS) {
    this.#max = max;
    onNewRequest(qq, (xhr) => {
      const { send } = xhr;
      xhr.send = (body) => {
        if (body instanceof Blob || body instanceof FormData) this.#watch(xhr, body instanceof Blob);
        send.call(xhr, body);
      };
    });
  }

  /** The bytes per second that the line takes; 0 before they are measured. */
  get rate() {
    return this.#rate;
  }

  /**
   * How many parts may be sent at the same time. On a slow line more of them would not be faster, and a break would
   * lose what each has sent.
   */
  get limit() {
    const wanted = Math.round((this.#rate * MAX_PART_TIME) / 1000 / MIN_PART_SIZE);
    return Math.min(this.#max, Math.max(MIN_CONNECTIONS, wanted));
  }

  /** How many requests should be sent, ready to be sent, or waiting for their signature. */
  get capacity() {
    return this.#max + READY_REQUESTS;
  }

  /**
   * Calls send when a signed request may be sent, or signAgain if its signature is too old by then. file is the file's
   * id; part counts from 0, and is null for a whole file. send does nothing for a cancelled request.
   */
  schedule({ file, part, send, signAgain }) {
    this.#ready.push({ file, part, send, signAgain, signedAt: Date.now() });
    this.#ready.sort((a, b) => a.file - b.file || a.part - b.part);
    this.#sendNext();
  }

  /** A cancelled request is not sent, and leaves its connection to the next one. */
  #sendNext() {
    for (let i = this.#nextIndex(); i >= 0; i = this.#nextIndex()) {
      const [{ signedAt, send, signAgain }] = this.#ready.splice(i, 1);
      if (Date.now() - signedAt < MAX_SIGNATURE_AGE) send();
      else signAgain();
    }
  }

  /** Whole files go before parts, but use only half of the connections while parts wait. */
  #nextIndex() {
    const { size } = this.#active;
    const wholeFiles = [...this.#active.values()].filter((isPart) => !isPart).length;
    const nextFile = size < this.#max ? this.#ready.findIndex(({ part }) => part === null) : -1;
    const nextPart = size < this.limit ? this.#ready.findIndex(({ part }) => part !== null) : -1;
    return nextFile >= 0 && (nextPart < 0 || wholeFiles < this.limit / 2) ? nextFile : nextPart;
  }

  #watch(xhr, isPart) {
    if (this.#active.size === 0) this.#samples = [];
    this.#active.set(xhr, isPart);
    let sent = 0;
    xhr.upload.addEventListener("progress", ({ loaded }) => {
      const nowSent = Math.max(0, loaded - BUFFER_SIZE);
      this.#measure(nowSent - sent);
      sent = nowSent;
    });
    xhr.addEventListener("loadend", () => {
      this.#active.delete(xhr);
      queueMicrotask(() => this.#sendNext()); // Fine Uploader may be about to end the attempt of this file
    });
  }

  #measure(bytes) {
    const now = performance.now();
    this.#sent += bytes;
    this.#samples.push([now, this.#sent]);
    while (now - this.#samples[0][0] > RATE_TIME) this.#samples.shift();
    const [start, sentBefore] = this.#samples[0];
    if (now - start < MIN_RATE_TIME) return;
    this.#rate = ((this.#sent - sentBefore) / (now - start)) * 1000;
    this.#sendNext();
  }
}
