// Rejects a file whose object would replace the object of another file in the list. Phones call every picture
// image.jpg, so this happens if keys are file names.

import { duplicateKey } from "./messages.js";

/** Files with these statuses have no object that could be replaced. A failed one may have: its report may have failed. */
const withoutObject = new Set(["canceled", "rejected", "deleted"]);

/**
 * Call it before the uploader is created. Returns a function for onUpload, which also rejects files that have a key
 * because they are resumed or retried. setError(id, sentence) sets the error of a file.
 */
export function rejectDuplicateKeys(qq, setError) {
  const files = new Map(); // by key: a Set of file ids

  /** Returns the error, if any. Otherwise the file has the key from now on. */
  function claim(uploader, id, key) {
    const earlier = Object.entries(uploader._cannedKeys).filter(([, other]) => other === key); // from the session
    const ids = files.get(key) ?? new Set();
    const others = [...ids, ...earlier.map(([other]) => Number(other))].filter((other) => other !== id);
    if (others.some((other) => !withoutObject.has(uploader.getUploads({ id: other })?.status))) {
      setError(id, duplicateKey);
      return duplicateKey;
    }
    files.set(key, ids.add(id));
    return null;
  }

  const { prototype } = qq.s3.FineUploader;
  const { _determineKeyName } = prototype;
  prototype._determineKeyName = function (id, name) {
    const result = new qq.Promise();
    _determineKeyName.call(this, id, name).then((key) => {
      const error = claim(this, id, key);
      if (error) result.failure(error);
      else result.success(key);
    }, result.failure);
    return result;
  };
  return (uploader, id) => {
    const key = uploader.getKey(id);
    const error = typeof key === "string" && claim(uploader, id, key);
    return error ? Promise.reject() : undefined;
  };
}
