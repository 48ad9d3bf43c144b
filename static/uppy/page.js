// The page /uppy.html: Uppy's Dashboard with this server. make bundles it with Uppy into page.min.js and page.min.css.

import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import "@uppy/core/css/style.min.css";
import Dashboard from "@uppy/dashboard";
import "@uppy/dashboard/css/style.min.css";
import GoldenRetriever from "@uppy/golden-retriever";
import SparkMD5 from "spark-md5";

import signServer from "./sign-server.js";

window.uppy = new Uppy({ id: "s3-sign-srv" })
  .use(Dashboard, {
    target: "#uppy", inline: true, width: "100%", theme: "auto",
    showRemoveButtonAfterComplete: true, proudlyDisplayPoweredByUppy: false,
  })
  .use(GoldenRetriever)
  .use(signServer(AwsS3), {
    deleteRemoved: true,
    md5: (buffer) => btoa(SparkMD5.ArrayBuffer.hash(buffer, true)),
  });
document.querySelector("#starting").remove();
