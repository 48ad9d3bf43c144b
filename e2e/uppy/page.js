// Uploads with Uppy, and with plain requests of presigned URLs. speed_lines_test.go evaluates the functions.

import Uppy from "@uppy/core";
import AwsS3 from "@uppy/aws-s3";

const presign = async (request) => {
  const response = await fetch("/presign", { method: "POST", body: JSON.stringify(request) });
  return response.json();
};

const input = document.querySelector("input");

/** Uploads the chosen files with Uppy's own settings. Returns the time in ms. */
globalThis.uploadWithUppy = async () => {
  const uppy = new Uppy().use(AwsS3, { signRequest: presign });
  const start = performance.now();
  uppy.addFiles([...input.files].map((file) => ({ name: file.name, type: file.type, data: file })));
  const { successful, failed } = await uppy.upload();
  if (failed.length > 0 || successful.length !== input.files.length) throw new Error("an upload failed");
  return performance.now() - start;
};

/** Sends the parts of the chosen file to the URLs, six at a time. Returns the time in ms. */
globalThis.putParts = async (urls, partSize) => {
  const [file] = input.files;
  const start = performance.now();
  let next = 0;
  const sendNext = async () => {
    while (next < urls.length) {
      const i = next++;
      await put(urls[i], file.slice(i * partSize, (i + 1) * partSize));
    }
  };
  await Promise.all(Array.from({ length: 6 }, sendNext));
  return performance.now() - start;
};

function put(url, part) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open("PUT", url);
    xhr.onload = () => (xhr.status === 200 ? resolve() : reject(new Error(`status ${xhr.status}`)));
    xhr.onerror = () => reject(new Error("no response"));
    xhr.send(part);
  });
}
