// Cuts files into parts whose size follows the rate of the line.
//
// Each part costs round trips, and a break loses what was sent of the parts on their way. So a part is as large as the
// line can send in a few seconds. Fine Uploader cuts a file into parts of one size.

import { MIN_PART_SIZE } from "./connections.js";

const MiB = 1024 * 1024;
const MAX_PART_SIZE = 32 * MiB;
const PART_TIME = 2; // s that a part should take
const MAX_PARTS = 10_000; // of S3

/** Fine Uploader's part size: in bytes, the smallest with which a file of this size has few enough parts. */
export function smallestPartSize(size) {
  return Math.max(MIN_PART_SIZE, Math.ceil(size / MAX_PARTS / MiB) * MiB);
}

/**
 * Returns the size in bytes of the next part: rest bytes of the file are left, and it is the part with this index,
 * counted from 0. rate is that of the line in bytes per second; limit is how many parts are sent at a time. The first
 * parts differ in size. Otherwise they would end together, and the line would be empty until the next ones begin.
 */
export function nextPartSize(rest, index, { rate, limit }) {
  const most = Math.min((rate / limit) * PART_TIME, MAX_PART_SIZE);
  const wanted = index < limit ? MIN_PART_SIZE + ((most - MIN_PART_SIZE) * index) / limit : most;
  const share = rest / limit; // all connections should be busy until the end
  const required = Math.max(MIN_PART_SIZE, rest / (MAX_PARTS - index));
  return Math.ceil(Math.max(required, Math.min(wanted, share)) / MiB) * MiB;
}

/** The parts of all files. */
export class PartSizes {
  #handler;
  #connections;

  /**
   * Makes Fine Uploader use nextPartSize, unless the user has set a size. The ends of the parts so far are in the state
   * that Fine Uploader also writes into its resume records. Create it before the uploader.
   */
  constructor(qq, connections, { chunking }) {
    this.#connections = connections;
    const { XhrUploadHandler } = qq;
    const parts = this;
    qq.XhrUploadHandler = function (spec) {
      XhrUploadHandler.call(this, spec);
      parts.#handler = this;
      if (!chunking?.partSize) parts.#adapt(this, spec.proxy.getSize);
    };
  }

  /** Whether there are parts of the file that are not on their way yet. */
  hasMore(id) {
    return this.#state(id)?.chunking?.remaining?.length !== 0;
  }

  /** How many parts of the file are on their way or wait for a connection. */
  inProgress(id) {
    return this.#state(id)?.chunking?.inProgress?.length ?? 0;
  }

  /** The part of a file with this index, as Fine Uploader describes it to callbacks. */
  range(id, index) {
    return this.#handler._getChunkDataForCallback(this.#handler._getChunkData(id, index));
  }

  /** The content of this part, as a Blob. */
  content(id, index) {
    const { startByte, endByte } = this.range(id, index);
    return this.#handler.getFile(id).slice(startByte - 1, endByte);
  }

  #state(id) {
    return this.#handler._getFileState(id);
  }

  #adapt(handler, getSize) {
    const { _getChunkData, _maybePrepareForResume } = handler;
    const nextSize = (id, ends) => nextPartSize(getSize(id) - (ends.at(-1) ?? 0), ends.length, this.#connections);
    handler._getTotalChunks = (id) => {
      const ends = this.#state(id).chunking?.ends ?? [];
      return ends.length + Math.ceil((getSize(id) - (ends.at(-1) ?? 0)) / nextSize(id, ends));
    };
    handler._getChunkData = (id, index) => {
      if (index == null) return _getChunkData.call(handler, id, index); // all parts are on their way
      const { chunking, temp } = this.#state(id);
      const ends = (chunking.ends ??= []);
      if (index === ends.length) {
        ends.push(Math.min(getSize(id), (ends.at(-1) ?? 0) + nextSize(id, ends)));
        chunking.parts = handler._getTotalChunks(id);
        const later = indexes(chunking.parts).slice(ends.length);
        chunking.remaining = [...chunking.remaining.filter((other) => other < ends.length), ...later];
      }
      const [start, end] = [ends[index - 1] ?? 0, ends[index]];
      const blob = (temp.cachedChunks[index] ??= handler.getFile(id).slice(start, end));
      return { part: index, start, end, size: end - start, count: handler._getTotalChunks(id), blob };
    };
    handler._maybePrepareForResume = (id) => {
      _maybePrepareForResume.call(handler, id);
      const { chunking } = this.#state(id);
      if (chunking && !chunking.ends) chunking.ends = equalParts(getSize(id)); // a record of an older version
    };
  }
}

function indexes(count) {
  return Array.from({ length: count }, (_, index) => index);
}

function equalParts(size) {
  const partSize = smallestPartSize(size);
  return indexes(Math.ceil(size / partSize)).map((index) => Math.min(size, (index + 1) * partSize));
}
