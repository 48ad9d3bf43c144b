// Command s3-sign-srv signs the requests with which a browser uploads files to S3.
//
//	s3-sign-srv [-env FILE]            sign for the bucket that the environment names
//	s3-sign-srv -demo                  try it: with a store of its own, in ./demo-data
//	s3-sign-srv doctor [flags]         find out what is wrong with a set-up, and what to change
//	s3-sign-srv cors [flags] [FILE]    put the CORS rules of FILE on the bucket
//	s3-sign-srv help [COMMAND]         tell more of a command
//	s3-sign-srv version                tell what was built
//
// The page is served from ./static and ./client_conf.js; without ./static/index.html the server is
// an API alone. The address to open is written to standard output, the log to standard error.
//
// Options:
//
//	-env FILE    read settings from lines of export NAME=value, as bash would
//	-demo        run with versitygw in ./demo-data; no settings needed
//
// Environment: the settings, which p3s3f.env and the README list. A variable of the environment goes
// before the file given with -env. Four of them have to be set:
//
//	AWS_CLIENT_ACCESS_KEY    public half of the key pair that signs
//	AWS_CLIENT_SECRET_KEY    its secret half
//	AWS_DEST_BUCKET          the one bucket that uploads go to
//	AWS_ENDPOINT             the store's address, without the bucket
//
// Also heeded are SSL_CERT_FILE and SSL_CERT_DIR for authorities of one's own, HTTP_PROXY, HTTPS_PROXY
// and NO_PROXY for calls to the store, and GOGC.
//
// Exit status: 0 after SIGINT, SIGTERM or SIGHUP, which let what is running finish (a second one does
// not); 1 if a setting is wrong, each of which is named, or nothing can be listened on.
//
// Examples:
//
//	s3-sign-srv -demo
//	s3-sign-srv -env my_p3s3f.env
//	P3S3F_HOST_PORT=8080 s3-sign-srv -env my_p3s3f.env
//
// # doctor
//
//	s3-sign-srv doctor [-env FILE] [-origin URL]... [-json]
//
// Does against the store what the server and the page would do, and prints a line for each check:
// ✓ good, ✗ wrong with the one thing to change, ! works but should be otherwise, – not asked and why.
// Run it where the server is started, with the same environment. It needs no server running, and
// little more than a minute at most. It writes a few objects whose keys begin with
// s3-sign-srv-doctor-, and removes them, whatever happens; where the key could not remove them, or not
// the versions that the bucket keeps, nothing is written. The secret key is never shown.
//
// Options:
//
//	-env FILE      read settings from this file, as the server does
//	-origin URL    the page's site as in the address bar, such as https://uploads.example.org, if it
//	               is not the server's own (behind a proxy); may be repeated
//	-json          print one JSON object: healthy, seconds, and checks with check, status (ok, failed,
//	               warning or skipped), text, and where there are such fix, document and blockedBy
//
// Environment: the server's. Colours and lines of 100 characters are for terminals; NO_COLOR and
// TERM=dumb switch the colours off.
//
// Exit status: 0 if nothing is wrong, whatever is to look at or was not asked; 1 if something is, or
// doctor was interrupted.
//
// Examples:
//
//	s3-sign-srv doctor -env my_p3s3f.env
//	s3-sign-srv doctor -env my_p3s3f.env -origin https://uploads.example.org
//	s3-sign-srv doctor -env my_p3s3f.env -json | jq '.checks[] | select(.status == "failed")'
//
// # cors
//
//	s3-sign-srv cors [-env FILE] [-origin URL]... [-dry-run] [FILE]
//
// Replaces the bucket's CORS rules by those of FILE, by default basic_cors.xml, as s3cmd setcors
// would, and shows what was there before and what is there now. The key needs s3:PutBucketCORS, and
// s3:GetBucketCORS to show; better give the upload key neither, and another key in the environment.
//
// Options:
//
//	-env FILE      read settings from this file, as the server does
//	-origin URL    allow pages of this site alone, such as https://uploads.example.org, and only the
//	               headers that a page with this client_conf.js sends; may be repeated
//	-dry-run       show it, change nothing
//
// Environment: the server's.
//
// Exit status: 0 if the rules are there, or would be; 1 if not, with the reason.
//
// Examples:
//
//	s3-sign-srv cors -env my_p3s3f.env
//	s3-sign-srv cors -env my_p3s3f.env -dry-run -origin https://uploads.example.org
//	AWS_CLIENT_ACCESS_KEY=… AWS_CLIENT_SECRET_KEY=… s3-sign-srv cors -env my_p3s3f.env my_cors.xml
//
// # help
//
//	s3-sign-srv help [COMMAND]
//
// Tells more of a command: doctor, cors, help or version. Without one, of the server. So does the
// option -help of each.
//
// Exit status: 0; 1 for a command that there is not, with a hint.
//
// Examples:
//
//	s3-sign-srv help doctor
//	s3-sign-srv cors -help
//
// # version
//
//	s3-sign-srv version
//
// Prints the module's version, the revision it was built from, and the Go version.
//
// Exit status: 0.
package main
