import assert from "node:assert/strict";
import { test } from "node:test";

import { importPage } from "./import-page.mjs";

const { ResumeStore } = await importPage("resume-store.js");

test("unfinished lists the files of this endpoint and owner, whatever the user's own keys are", () => {
  const record = (name) => JSON.stringify({
    uuid: name, name, key: name, size: 10, loaded: 5, lastUpdated: 1, chunking: { uploadId: "U", remaining: [1] },
  });
  globalThis.localStorage = {
    "qqs3resume-ours-a.txt-10-5-https://s3/bucket-MINE-text/plain-1": record("a"),
    "qqs3resume-ours-b.txt-10-5-https://s3/bucket-OTHERS-text/plain-1": record("b"),
    "qqs3resume-ours-c.txt-10-5-https://s3/another-MINE-text/plain-1": record("c"),
    "qqs3resume-ours-d.txt-10-5-https://s3/bucket-MINE-text/plain-1": "not a record",
    "key of another page": record("e"),
  };
  const request = { endpoint: "https://s3/bucket" };
  const customKeys = (id) => { throw new Error(`there is no file ${id}`); };
  for (const [resume, names] of [
    [{ owner: "MINE", customKeys }, ["a"]],
    [{ customKeys }, ["a", "b"]],
    [undefined, ["a", "b"]],
  ]) {
    assert.deepEqual(new ResumeStore().unfinished({ request, resume }).map(({ name }) => name), names);
  }
});
