// Progress objects in a given state, for tests.

import { importPage } from "./import-page.mjs";

export const { Progress } = await importPage("progress.js");

export const MB = 1e6;
export const PART_SIZE = 5 * MB;

/** Part i (from 0) of a file, as Fine Uploader describes it to callbacks. */
export function part(i, size) {
  return {
    partIndex: i,
    startByte: i * PART_SIZE + 1,
    endByte: Math.min((i + 1) * PART_SIZE, size),
    totalParts: Math.ceil(size / PART_SIZE),
  };
}

/** The progress of a file of which these parts are stored. */
export function withStoredParts(size, parts) {
  const progress = new Progress(size);
  for (const i of parts) progress.partStarted(part(i, size));
  for (const i of parts) progress.partStored(part(i, size));
  progress.start();
  return progress;
}
