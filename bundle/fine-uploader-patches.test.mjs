import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { importPage } from "./import-page.mjs";

const { reportUnreadableEntries, validateWithoutTimers } = await importPage("fine-uploader-patches.js");

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

const { MessageChannel } = globalThis;
const channels = [];
globalThis.MessageChannel = class extends MessageChannel {
  constructor() { channels.push(super()); }
};
afterEach(() => { for (const { port1 } of channels.splice(0)) port1.close(); });

/** What onValidate returns for a file. */
const validate = { true: () => true, false: () => false, resolves: () => Promise.resolve(), rejects: () => Promise.reject() };

/**
 * Chooses files, which are names of validate. Resolves with the names of those that were validated, and the ids of the
 * accepted and the rejected ones. The methods are Fine Uploader's, without what they do not need here.
 */
function chooseFiles(files, stopOnFirstInvalidFile) {
  const items = files.map((valid, i) => ({ id: i, file: { name: `file ${i}`, valid } }));
  const result = { validated: [], accepted: [], rejected: [] };
  return new Promise((resolve) => {
    const count = (list, id) => {
      list.push(id);
      if (result.accepted.length + result.rejected.length === files.length) resolve(result);
    };
    const uploader = {
      _options: {
        validation: { stopOnFirstInvalidFile },
        callbacks: { onValidate: ({ name, valid }) => { result.validated.push(name); return validate[valid](); } },
      },
      _getValidationDescriptor: ({ file }) => file,
      _getButtonId() {},
      _getButton() {},
      _handleCheckedCallback({ callback, onSuccess, onFailure }) {
        const valid = callback();
        if (valid instanceof Promise) valid.then(onSuccess, onFailure);
        else (valid ? onSuccess : onFailure)();
      },
      _onValidateCallbackSuccess(all, i) {
        count(result.accepted, i);
        this._maybeProcessNextItemAfterOnValidateCallback(true, all, i + 1);
      },
      _onValidateCallbackFailure(all, i) {
        count(result.rejected, i);
        this._maybeProcessNextItemAfterOnValidateCallback(false, all, i + 1);
      },
      _maybeProcessNextItemAfterOnValidateCallback(isValid, all, i) { // as if nothing may follow
        for (; i < all.length; i++) count(result.rejected, i);
      },
    };
    validateWithoutTimers(uploader);
    uploader._maybeProcessNextItemAfterOnValidateCallback(true, items, 0);
  });
}

for (const { name, files, stop, validated, accepted, rejected } of [
  { name: "valid files", files: [true, true], validated: 2, accepted: [0, 1], rejected: [] },
  { name: "an invalid file", files: [true, false, true], validated: 3, accepted: [0, 2], rejected: [1] },
  { name: "an invalid file that stops the others", files: [true, false, true], stop: true,
    validated: 2, accepted: [0], rejected: [1, 2] },
  { name: "promises", files: ["resolves", "rejects", true], validated: 3, accepted: [0, 2], rejected: [1] },
  { name: "a rejected promise that stops the others", files: ["rejects", true], stop: true,
    validated: 1, accepted: [], rejected: [0, 1] },
]) {
  test(`validation without timers: ${name}`, async () => {
    const { setTimeout } = globalThis;
    globalThis.setTimeout = () => assert.fail("a timer was set");
    const result = await chooseFiles(files, stop).finally(() => { globalThis.setTimeout = setTimeout; });
    assert.deepEqual(result.validated, files.slice(0, validated).map((_, i) => `file ${i}`));
    assert.deepEqual([result.accepted, result.rejected], [accepted, rejected]);
  });
}

test("10,000 invalid files do not overflow the stack", async () => {
  const { rejected } = await chooseFiles(Array(10_000).fill(false));
  assert.equal(rejected.length, 10_000);
});
