// Fine Uploader's promise, as far as it is used.

export class FakePromise {
  then(...handlers) {
    this.handlers = handlers;
    if (this.settled) this.settled();
    return this;
  }
  success = (...values) => { this.#settle(0, values); };
  failure = (...values) => { this.#settle(1, values); };
  #settle(i, values) {
    this.settled = () => this.handlers[i]?.(...values);
    if (this.handlers) this.settled();
  }
}
