// Options of Fine Uploader for the page. To change one, cp client_conf.js my_client_conf.js and edit the copy: the server
// then serves it in place of this file. It fills in BUCKET, HOST, ACCESSKEY, the region and the signature version from
// its own settings (p3s3f.env). Everything else takes effect as you write it.
// To own these values too, also ln my_client_conf.js static/client_conf.js (a hard link). The server then serves the file
// as it is. With P3S3F_OWN_UPLOADS_ONLY=1 it adds the owner to the keys.
// After a change, force the browser to reload the page (shift-ctrl-R). The documentation of Fine Uploader lists all
// options: docs.fineuploader.com, "S3 options".

var fine_u_conf = {
  // true: log every step to the browser's console; false: log only errors.
  debug: true,

  // The element of the page that holds the uploader.
  element: document.getElementById("fine-uploader"),

  // The store, and perhaps the signing server, is on another site than the page. true also omits X-Requested-With from
  // POST requests, so that a signing server on another site needs no preflight.
  cors: {
    expected: true
  },

  // Where objects are stored. All three values are signed, so they must match the server's settings.
  objectProperties: {
    bucket: "BUCKET",
    host: "HOST",            // host name of the store without https://; required on Ceph, and for V4 with path-style URLs
    region: "us-east-1"      // part of every V4 signature
    // key: "uuid"           // name of the object: "uuid" (with the file's extension), "filename", or a function(id)
                             // the page rejects a file whose key another file in its list has
  },

  // How to reach the store.
  request: {
    endpoint: "https://BUCKET.HOST",   // or "https://HOST/BUCKET"; without a slash at the end
    accessKey: "ACCESSKEY",            // the access key that signs; it is public
    // Stored with each object as x-amz-meta-…. The hooks of the server receive them. Use only letters, digits and - in
    // names: Ceph changes _, and nginx drops headers with _ or a dot in the name.
    params: {
      dataset: "5d8a4b3e-94f3-4c1e-8f0e-6a3f2b7c9d10"
    }
  },

  // The signing server, and the version to sign: 4, or 2 if `s3-sign-srv doctor` warns at "unsigned headers", as on
  // MinIO and on Ceph before 19.2.6 and 20.2.4 (docs/security.md says why).
  signature: {
    endpoint: "/s3/sign",
    version: 4
    // unsignedPayload: true  // parts are not hashed if the store has https; needs P3S3F_UNSIGNED_PAYLOAD=1
  },

  // Where to report that an object is stored.
  uploadSuccess: {
    endpoint: "/s3/success"
  },

  // The Delete button asks for confirmation, then calls the server.
  deleteFile: {
    enabled: true,
    endpoint: "/s3/delete",
    forceConfirm: true,
    confirmMessage: "Delete {filename} from the bucket? This cannot be undone."
  },

  // Which files the page accepts. The server checks again; these options only give the user an earlier answer.
  validation: {
    sizeLimit: 0,                  // bytes; 0: no limit
    stopOnFirstInvalidFile: false  // false: one invalid file does not stop the others
  },

  // Files larger than one part are uploaded in parts, several at a time.
  chunking: {
    enabled: true,
    mandatory: false,   // true: small files too, for stores that accept no POST forms or drop headers of them
    concurrent: {
      enabled: true
    }
    // partSize: 5 * 1024 * 1024   // bytes; without it, the page chooses 5 to 32 MiB by the speed of the network
  },

  // Connections to the store, at most. Browsers have 6 for each host over HTTP/1.1, and more over HTTP/2.
  maxConnections: 6,

  // A half-uploaded file resumes where it stopped if the user chooses it again within 7 days.
  resume: {
    enabled: true
  },

  // Failed requests are retried automatically. Each stored part resets the count.
  retry: {
    enableAuto: true,
    autoAttemptDelay: 5,   // seconds
    maxAutoAttempts: 20,
    // Only a response with "preventRetry": true removes the Retry button. With "error", every short outage would.
    preventRetryResponseProperty: "preventRetry"
  },

  // An empty page for old browsers that cannot upload by script.
  iframeSupport: {
    localBlankPagePath: "success.html"
  }
};
