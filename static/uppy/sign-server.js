// Uppy's AwsS3 plugin, wired to s3-sign-srv: it gets signatures from /s3/presign, reports uploads to /s3/success, and
// shows the server's messages in Uppy's informer. It imports nothing; copy it beside your own modules.
//
//   uppy.use(signServer(AwsS3), { server: "https://uploads.example.org" });
//
// Options besides those of @uppy/aws-s3 6, all optional:
//   server         address of s3-sign-srv, if the page comes from another host
//   headers        function that returns headers for each request to the server, such as Authorization
//   acl            canned ACL of new objects, one of P3S3F_ALLOWED_ACLS
//   md5            function that returns the MD5 of an ArrayBuffer in base64, or a promise of it. The store then rejects
//                  parts that arrive damaged or cut off, as a part can be when the connection is lost. versitygw 1.8.0
//                  stores such a part as complete without it, and a resumed upload does not send it again
//   deleteRemoved  delete the object when a file that is uploaded is removed from Uppy's list

const MiB = 1024 * 1024;
const retryDelays = [1, 2, 4, 8, 15, 30]; // seconds; together longer than a restart of the server
const rejections = [400, 403, 404, 409]; // of a report: the file has to be uploaded again

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
const online = () => navigator.onLine || new Promise((resolve) => addEventListener("online", resolve, { once: true }));

/** Returns a key with a random UUID. crypto.randomUUID exists only on HTTPS and localhost. */
function defaultKey({ extension }) {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"));
  const uuid = hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return extension ? `${uuid}.${extension}` : uuid;
}

/** Returns the id under which hooks know a key: its UUID, or its name without extension. */
const idOf = (key) => key.split("/").pop().split(".")[0].replace(/[^\w~-]/g, "_").slice(0, 128) || "_";

/** Returns the metadata of the object: the name, and what the application has set with setMeta or setFileMeta. */
function metadataOf({ name, meta }, allowed) {
  const names = Array.isArray(allowed) ? allowed
    : Object.keys(allowed ? meta : {}).filter((field) => !["name", "type", "relativePath"].includes(field));
  const fields = names.filter((field) => meta[field] != null).map((field) => [field.toLowerCase(), String(meta[field])]);
  return { ...Object.fromEntries(fields), qqfilename: name };
}

export default function signServer(AwsS3) {
  return class extends AwsS3 {
    #fileIDs = new Map(); // by the key that was proposed
    #reports = new Map(); // promises, by file id
    #disconnected = new Set(); // ids of files that failed without a network
    #bucket;
    #cookie; // promise
    #isCancelling = false;

    constructor(uppy, opts = {}) {
      super(uppy, {
        server: "",
        shouldUseMultipart: (file) => file.size > 10 * MiB,
        // Uppy reads only the first 1000 parts of an upload that it resumes.
        getChunkSize: ({ size }) => Math.max(5 * MiB, Math.ceil(size / 1000)),
        ...opts,
        generateObjectKey: (file) => {
          const key = opts.generateObjectKey?.(file) ?? defaultKey(file);
          this.#fileIDs.set(key, file.id);
          return key;
        },
        signRequest: (request) => this.#sign(request),
      });
    }

    install() {
      super.install();
      this.uppy.addPostProcessor(this.#finish);
      for (const [event, listener] of Object.entries(this.#listeners)) this.uppy.on(event, listener);
    }

    uninstall() {
      super.uninstall();
      this.uppy.removePostProcessor(this.#finish);
      for (const [event, listener] of Object.entries(this.#listeners)) this.uppy.off(event, listener);
    }

    async #sign(request) {
      await (this.#cookie ??= this.#ensureCookie());
      const file = request.uploadId === undefined ? this.uppy.getFile(this.#fileIDs.get(request.key)) : undefined;
      const object = file && {
        contentType: file.type || "application/octet-stream", // which Uppy sends
        size: file.size ?? undefined, acl: this.opts.acl, metadata: metadataOf(file, this.opts.allowedMetaFields),
      };
      const contentMD5 = await this.#digest(request);
      const body = JSON.stringify({ ...request, ...object, contentMD5 });
      const signed = await this.#send("/s3/presign", { body, headers: { "Content-Type": "application/json" } });
      this.#bucket = signed.bucket;
      return signed;
    }

    /** Returns the digest of a part, which begins where Uppy's S3Uploader lets it begin. */
    async #digest({ uploadId, partNumber }) {
      const file = this.uppy.getFiles().find(({ s3Multipart }) => s3Multipart?.uploadId === uploadId);
      if (!this.opts.md5 || partNumber === undefined || !file) return undefined;
      const { size } = file.data;
      const partSize = Math.max(this.opts.getChunkSize({ size }), 5 * MiB, Math.ceil(size / 10000));
      const part = file.data.slice((partNumber - 1) * partSize, partNumber * partSize);
      return this.opts.md5(await part.arrayBuffer());
    }

    /** Lets the server issue its cookie, before requests that need it run side by side. */
    #ensureCookie() {
      const init = { credentials: "include", headers: this.opts.headers?.() };
      return fetch(`${this.opts.server}/s3/owner`, init).catch(() => { this.#cookie = undefined; });
    }

    #listeners = {
      "upload-success": (file, response) => {
        const body = { ...response.body, bucket: this.#bucket };
        this.uppy.setFileState(file.id, { response: { ...response, body } });
        const report = this.#report(file.id);
        report.catch(() => {}); // #finish handles it
        this.#reports.set(file.id, report);
      },
      "upload-error": (file, error) => {
        if (!file) return;
        if (error.code === "NETWORK") this.#disconnected.add(file.id);
        // The upload that was to be resumed does not exist any more.
        if (error.status === 404 && !error.id) this.uppy.setFileState(file.id, { s3Multipart: undefined });
      },
      "back-online": () => {
        const ids = [...this.#disconnected].filter((id) => this.uppy.getFile(id)?.error);
        this.#disconnected.clear();
        for (const id of ids) this.uppy.retryUpload(id);
      },
      "file-removed": (file) => {
        const { key, bucket } = file.response?.body ?? {};
        if (!this.opts.deleteRemoved || this.#isCancelling || !key || file.error) return;
        this.#post("/s3/delete", { key, bucket, qquuid: idOf(key), _method: "DELETE" }).catch(() => {}); // shown
      },
      "cancel-all": () => { // removes all files, but only from the list
        this.#isCancelling = true;
        queueMicrotask(() => { this.#isCancelling = false; });
      },
    };

    #report(id) {
      const { name, response: { body: { key, bucket } } } = this.uppy.getFile(id);
      return this.#post("/s3/success", { key, bucket, name, uuid: idOf(key) });
    }

    /** Waits for the reports, and makes those that are missing since a reload. Reply members are in response.body. */
    #finish = (ids) => Promise.all(ids.map(async (id) => {
      const file = this.uppy.getFile(id);
      if (!file?.progress.uploadComplete || file.error) return;
      try {
        const { success, ...reply } = await (this.#reports.get(id) ?? this.#report(id));
        const { response } = file;
        if (this.uppy.getFile(id)) {
          this.uppy.setFileState(id, { response: { ...response, body: { ...reply, ...response.body } } });
        }
      } catch (error) {
        const isRejected = rejections.includes(error.status);
        if (isRejected) this.uppy.setFileState(id, { progress: { ...file.progress, uploadComplete: false } });
        this.uppy.emit("upload-error", this.uppy.getFile(id), error);
      }
      this.#reports.delete(id);
    }));

    #post(path, fields) {
      return this.#send(path, { body: new URLSearchParams(fields) });
    }

    /** Sends a request to the server, again if a failure may pass, and shows the message of an error. */
    async #send(path, { body, headers }) {
      for (let attempt = 0; ; attempt++) {
        await online();
        const init = { method: "POST", credentials: "include", body, headers: { ...headers, ...this.opts.headers?.() } };
        const response = await fetch(this.opts.server + path, init).catch(() => undefined);
        if (response?.ok) return response.json();
        const mayPass = !response || response.status === 429 || response.status >= 500;
        if (mayPass && attempt < retryDelays.length) {
          await pause(retryDelays[attempt]);
          continue;
        }
        const { error = "The server cannot be reached; try again.", id } = await response?.json().catch(() => ({})) ?? {};
        this.uppy.info(error, "error", 10000);
        throw Object.assign(new Error(error), { status: response?.status, id });
      }
    }
  };
}
