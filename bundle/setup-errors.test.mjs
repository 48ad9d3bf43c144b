import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { SetupErrors } = await importPage("setup-errors.js");

const server = { from: "server", option: "signature.endpoint" };
const success = { from: "server", option: "uploadSuccess.endpoint" };
const store = { from: "store", host: "s3.example.org" };

const setting = { ...server, status: 403, kind: "setup", message: "Set objectProperties.bucket.", id: "1a2b" };
const noResponse = { ...store, status: 0 };
const unreachable = { title: "The browser cannot reach the store at s3.example.org.", steps: "doctor" };
const outdated = { title: "This page is older than the server's settings." };

const rejected = "The signing server refuses what this page asks for.";
const noServer = "There is no signing server at uploadSuccess.endpoint.";
const hiddenETag = "The bucket's CORS rules hide the ETag of what is stored.";

/** Responses are those of failed uploads. The error that is shown last: undefined for none, null if it was removed. */
for (const { name, events, cause = null, title, steps } of [
  { name: "a wrong setting", events: [setting], title: rejected, steps: "doctor" },
  {
    name: "a wrong clock, which doctor cannot see",
    events: [{ ...setting, message: "The clock of the uploading computer is wrong." }],
    title: rejected,
  },
  { name: "a rejection by a hook", events: [{ ...server, status: 403, message: "No." }], title: undefined },
  {
    name: "a 404 of the server for a missing object",
    events: [{ ...success, status: 404, message: "Not there.", id: "1a2b" }],
    title: undefined,
  },
  {
    name: "a 404 of the server for an unknown path",
    events: [{ ...success, status: 404, kind: "address", id: "1a2b" }],
    title: noServer,
  },
  { name: "a 404 of another server", events: [{ ...success, status: 404 }], title: noServer },
  { name: "an older page", events: [setting], cause: outdated, title: outdated.title },
  { name: "one request without a response", events: [noResponse], cause: unreachable, title: undefined },
  { name: "two requests without a response", events: [noResponse, noResponse], cause: unreachable, ...unreachable },
  {
    name: "two requests without a response, and the server knows why",
    events: ["store error", noResponse, noResponse],
    cause: unreachable,
    title: "The browser cannot use the store at s3.example.org.",
    steps: "doctor",
  },
  {
    name: "an unknown access key",
    events: [{ ...store, status: 403, code: "InvalidAccessKeyId" }],
    title: "The store at s3.example.org refuses the upload.",
    steps: "doctor",
  },
  {
    name: "a store error that no setting causes",
    events: [{ ...store, status: 404, code: "NoSuchUpload" }],
    title: undefined,
  },
  {
    name: "no response after a success",
    events: ["success", noResponse, noResponse],
    cause: unreachable,
    title: null,
  },
  {
    name: "a hidden ETag after a success",
    events: ["success", { ...noResponse, code: "HiddenETag" }],
    title: hiddenETag,
    steps: "cors",
  },
  { name: "a wrong setting, then a success", events: [setting, "success"], title: null },
]) {
  test(name, () => {
    let shown;
    const errors = new SetupErrors((error) => { shown = error; });
    for (const event of events) {
      if (event === "success") errors.uploadSucceeded();
      else if (event === "store error") errors.setStoreError("The store does not know the key.");
      else errors.uploadFailed(event, cause);
    }
    assert.equal(shown ? shown.title : shown, title);
    assert.equal(shown?.steps, steps);
  });
}
