// The list of files that an earlier visit left half uploaded, each with a Discard button.

import { unfinishedFile } from "./messages.js";

const DELAY = 100; // ms in which several calls of update become one

export class UnfinishedList {
  #uploader;
  #conf;
  #store;
  #locks;
  #cleanup;
  #timer = null;

  /** conf: Fine Uploader's options; store: a ResumeStore; locks: TabLocks; cleanup: an UploadCleanup. */
  constructor({ conf, store, locks, cleanup }) {
    this.#conf = conf;
    this.#store = store;
    this.#locks = locks;
    this.#cleanup = cleanup;
  }

  attach(uploader) {
    this.#uploader = uploader;
  }

  /** Saves the resume records and shows those that no tab is uploading. */
  update() {
    this.#timer ??= setTimeout(() => this.#updateNow(), DELAY);
  }

  async #updateNow() {
    this.#timer = null;
    await this.#store.save();
    const locked = await this.#locks.held();
    const files = this.#store.unfinished(this.#conf).filter(({ uuid }) => !this.#isListed(uuid) && !locked.has(uuid));
    document.getElementById("unfinished").replaceChildren(...files.map((file) => this.#createItem(file)));
  }

  #isListed(uuid) {
    return this.#uploader.getUploads().some((upload) => upload.uuid === uuid);
  }

  #createItem(file) {
    const item = document.createElement("li");
    const text = document.createElement("span");
    text.textContent = unfinishedFile(file);
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button", textContent: "Discard" });
    button.setAttribute("aria-label", `Discard ${file.name}`);
    button.onclick = () => this.#discard(file).then(() => this.#updateNow());
    item.append(text, button);
    return item;
  }

  async #discard({ uuid }) {
    if (!(await this.#locks.acquire(uuid))) return; // another tab has resumed it
    if (this.#isListed(uuid)) return; // this tab has resumed it
    const record = this.#store.find(uuid); // another tab may have started over
    if (record) this.#cleanup.discard(record);
    await this.#store.remove(uuid);
    this.#locks.release(uuid);
  }
}
