// Command s3-sign-srv signs the requests with which a browser uploads files to S3.
//
//	s3-sign-srv [-env FILE]            start the server
//	s3-sign-srv -demo                  start the server with its own store, to try it
//	s3-sign-srv doctor [flags]         check the set-up and the store
//	s3-sign-srv cors [flags] [FILE]    set the bucket's CORS rules
//	s3-sign-srv help [COMMAND]         describe a command
//	s3-sign-srv help settings          list the settings
//	s3-sign-srv version                print the version
//
// The server writes the address to open to standard output, and its log to standard error. The page is
// built in. Files in ./static, ./client_conf.js and ./basic_cors.xml replace the built-in ones.
//
// Options:
//
//	-env FILE    read settings from lines of export NAME=value, as bash would
//	-demo        run with versitygw in ./demo-data; no settings needed
//
// Environment: the settings, see help settings. A variable of the environment overrides the one in the
// file given with -env. Four settings are required:
//
//	AWS_CLIENT_ACCESS_KEY    access key that signs uploads
//	AWS_CLIENT_SECRET_KEY    its secret key
//	AWS_DEST_BUCKET          the one bucket that receives uploads
//	AWS_ENDPOINT             address of the store, without the bucket
//
// The server also uses SSL_CERT_FILE and SSL_CERT_DIR for private certificate authorities, HTTP_PROXY,
// HTTPS_PROXY and NO_PROXY for calls to the store, and GOGC and GOMEMLIMIT.
//
// Exit status: 0 after SIGINT, SIGTERM or SIGHUP, when running requests have finished (a second signal
// does not wait for them); 1 if a setting is wrong or the address cannot be listened on.
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
// Sends the store the same requests as the server and the page, and prints a line for each check:
// ✓ works, ✗ fails, with what to change, ! works, but should be changed, – skipped, with the reason.
// Run it in the server's directory with the server's environment. The server need not run. It takes a
// little more than a minute at most. It writes a few objects with keys that begin with
// s3-sign-srv-doctor- and removes them, also after an error. If the key may not remove them, or the
// versions that the bucket keeps, doctor writes nothing. It never shows the secret key.
//
// Options:
//
//	-env FILE      read settings from this file, as the server does
//	-origin URL    site of the page as in the address bar, such as https://uploads.example.org, if it
//	               is not the server's own (behind a proxy); may be repeated
//	-json          print one JSON object: healthy, seconds, and checks with check, status (ok, failed,
//	               warning or skipped), text, and possibly fix, document and blockedBy
//
// Environment: the server's. On a terminal, lines are wrapped at 100 characters and coloured; NO_COLOR
// and TERM=dumb switch the colours off.
//
// Exit status: 0 if no check failed, even with warnings or skipped checks; 1 if one failed, or doctor
// was interrupted.
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
// Replaces the bucket's CORS rules with those in FILE, by default basic_cors.xml, and prints the rules
// before and after. The key needs s3:PutBucketCORS, and s3:GetBucketCORS to print the rules. Do not
// give these rights to the upload key: use another key in the environment.
//
// Options:
//
//	-env FILE      read settings from this file, as the server does
//	-origin URL    allow only pages of this site, such as https://uploads.example.org, and only the
//	               headers that a page with this client_conf.js sends; may be repeated
//	-dry-run       print the rules, change nothing
//
// Environment: the server's.
//
// Exit status: 0 if the rules are set, or would be; 1 if not, with the reason.
//
// Examples:
//
//	s3-sign-srv cors -env my_p3s3f.env
//	s3-sign-srv cors -env my_p3s3f.env -dry-run -origin https://uploads.example.org
//	AWS_CLIENT_ACCESS_KEY=… AWS_CLIENT_SECRET_KEY=… s3-sign-srv cors -env my_p3s3f.env my_cors.xml
//
// # help
//
//	s3-sign-srv help [COMMAND | settings]
//
// Describes a command: doctor, cors, help or version, or lists the settings. Without an argument, it
// describes the server. The option -help of each command does the same.
//
// Exit status: 0; 1 for an unknown command, with a suggestion.
//
// Examples:
//
//	s3-sign-srv help doctor
//	s3-sign-srv help settings
//	s3-sign-srv cors -help
//
// # version
//
//	s3-sign-srv version
//
// Prints the module's version, the revision that it was built from, and the Go version.
//
// Exit status: 0.
package main
