// Fine Uploader's settings for the page, all in one place.
//
// Two ways to use this file:
//  - Leave it: the server serves it with BUCKET, HOST and ACCESSKEY, the region and the signature version filled in
//    from its own settings (p3s3f.env). Everything else you change here takes effect as you wrote it.
//  - Own every value: cp client_conf.js my_client_conf.js, edit it, ln my_client_conf.js static/client_conf.js
//    (a hard link). The server then serves that file as it is; with P3S3F_OWN_UPLOADS_ONLY=1
//    it puts the owner in front of its keys.
// After a change force the browser to reload (shift-ctrl-R). All options, in Fine Uploader's documentation:
// docs.fineuploader.com, "S3 options".

var fine_u_conf = {
  // Log every step to the browser's console; false keeps it to errors.
  debug: true,

  // Where on the page the uploader appears.
  element: document.getElementById("fine-uploader"),

  // The store (and perhaps the signing server) is another site than the page.
  // true also leaves X-Requested-With out of POSTs, which spares a cross-site signing server a preflight.
  cors: {
    expected: true
  },

  // Where the objects go. All three are signed, so they must be the server's own.
  objectProperties: {
    bucket: "BUCKET",
    host: "HOST",            // the store's host name, without https:// (Ceph needs it, so does V4 with path-style URLs)
    region: "us-east-1"      // part of every V4 signature
    // key: "uuid"           // the object's name: "uuid" (with the file's extension), "filename", or a function(id)
  },

  // How the store is reached.
  request: {
    endpoint: "https://BUCKET.HOST",   // or "https://HOST/BUCKET"; no slash at the end
    accessKey: "ACCESSKEY",            // the public half of the key pair that signs
    // Stored with each object as x-amz-meta-…; the server's hooks see them and may refuse.
    params: {
      dataset: "5d8a4b3e-94f3-4c1e-8f0e-6a3f2b7c9d10"
    }
  },

  // Who signs. Version 4 works everywhere; 2 is for old Ceph.
  signature: {
    endpoint: "/s3/sign",
    version: 4
  },

  // Who is told when a file is in the store.
  uploadSuccess: {
    endpoint: "/s3/success"
  },

  // The Delete button: ask first, then ask the server.
  deleteFile: {
    enabled: true,
    endpoint: "/s3/delete",
    forceConfirm: true,
    confirmMessage: "Delete {filename} from the bucket? This cannot be undone."
  },

  // What is accepted. The server has the last word: these only spare the user a refusal.
  validation: {
    sizeLimit: 0,                  // bytes, 0 for no limit
    stopOnFirstInvalidFile: false  // one bad file does not hold back the others
  },

  // Files over one part go up in parts, several at a time.
  chunking: {
    enabled: true,
    concurrent: {
      enabled: true
    },
    // Bytes in a part: 5 MiB (S3's least), more for files over 50 GB, as S3 takes 10,000 parts at most.
    partSize: function (id, size) {
      var MiB = 1024 * 1024;
      return Math.max(5, Math.ceil(size / 10000 / MiB)) * MiB;
    }
  },

  // A half-uploaded file goes on where it stopped when it is chosen again, within 7 days.
  resume: {
    enabled: true
  },

  // What fails is tried again by itself. Any part that gets through starts the count afresh.
  retry: {
    enableAuto: true,
    autoAttemptDelay: 5,   // seconds
    maxAutoAttempts: 20,
    // Only an answer with "preventRetry": true takes the Retry button away ("error" would lose it to every short outage).
    preventRetryResponseProperty: "preventRetry"
  },

  // An empty page, for browsers too old to upload by script.
  iframeSupport: {
    localBlankPagePath: "success.html"
  }
};
