// The list of files that an earlier visit left half uploaded, each with a Discard button.

import { unfinishedFile } from "./messages.js";

const DELAY = 100; // ms in which several updates become one

/**
 * Returns a function that saves the resume records and lists those that are not being uploaded. store is a ResumeStore,
 * locks a TabLocks, cleanup an UploadCleanup; isListed(uuid) tells whether this tab has the file in its list.
 */
export function createUnfinishedList({ conf, store, locks, cleanup, isListed }) {
  let timer = null;
  return () => { timer ??= setTimeout(update, DELAY); };

  async function update() {
    timer = null;
    await store.save();
    const locked = await locks.heldElsewhere();
    const files = store.unfinished(conf).filter(({ uuid }) => !isListed(uuid) && !locked.has(uuid));
    const items = files.map((file) => createItem(file, () => discard(file.uuid).then(update)));
    document.getElementById("unfinished").replaceChildren(...items);
  }

  async function discard(uuid) {
    if (!(await locks.acquire(uuid))) return; // another tab has resumed it
    if (isListed(uuid)) return; // this tab has resumed it
    const record = store.find(uuid); // another tab may have started over
    if (record) cleanup.discard(record);
    await store.remove(uuid);
    locks.release(uuid);
  }
}

function createItem(file, onclick) {
  const item = document.createElement("li");
  const text = Object.assign(document.createElement("span"), { textContent: unfinishedFile(file) });
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button", textContent: "Discard", onclick });
  button.setAttribute("aria-label", `Discard ${file.name}`);
  item.append(text, button);
  return item;
}
