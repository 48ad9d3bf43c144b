import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { reportUnreadableEntries } = await importPage("fine-uploader-patches.js");

/** Fine Uploader's class, which drops a folder with a file that cannot be read. */
function DragAndDrop({ callbacks }) {
  callbacks.dropLog("Grabbed 1 dropped files.");
  callbacks.dropLog("Problem parsing '/folder/file.txt'.  FileError code 1.", "error");
  callbacks.processingDroppedFilesComplete([], "element");
}
DragAndDrop.callbacks = function () {
  return { processingDroppedFilesComplete() {}, dropLog() {} };
};

for (const { name, callbacks, called } of [
  { name: "no callbacks", callbacks: () => undefined, called: [] },
  { name: "one callback", callbacks: (add) => ({ processingDroppedFilesComplete: () => add("complete") }),
    called: ["complete"] },
  { name: "all callbacks",
    callbacks: (add) => ({ processingDroppedFilesComplete: () => add("complete"), dropLog: () => add("log") }),
    called: ["log", "log", "complete"] },
]) {
  test(`what cannot be read in a dropped folder is reported, with ${name} of the page's own`, () => {
    const [reports, calls] = [[], []];
    const qq = { DragAndDrop };
    reportUnreadableEntries(qq, (paths) => reports.push(paths));
    new qq.DragAndDrop({ dropZoneElements: [], callbacks: callbacks((call) => calls.push(call)) });
    assert.deepEqual(reports, [["/folder/file.txt"]]);
    assert.deepEqual(calls, called);
  });
}
