package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/sign"
)

// clientConf is what the page's client_conf.js says. It is the user's own where static/client_conf.js
// is there; else the server fills its settings into the one beside it.
type clientConf struct {
	options
	file     string // empty: there is none
	own      bool
	fault    string // why browsers cannot read it
	assigned bool   // it has a fine_u_conf
	read     bool   // which is an object
}

func readClientConf(files fs.FS) clientConf {
	for _, name := range []string{"static/client_conf.js", "client_conf.js"} {
		script, err := fs.ReadFile(files, name)
		if err != nil {
			continue
		}
		c := clientConf{file: name, own: strings.HasPrefix(name, "static/")}
		r := readScript(string(script), "fine_u_conf")
		if c.fault, c.assigned, c.read = r.fault, r.assigned, r.read; c.fault == "" { // else nothing of it counts
			c.options = r.found
		}
		return c
	}
	return clientConf{}
}

// version is the signature version that the page will use. Fine Uploader's default is 2.
func (c clientConf) version(set config.Config) sign.Version {
	if !c.own || !c.read || c.fault != "" {
		return set.SignatureVersion
	}
	if v, known := c.number("signature.version", 2); known && v == 2 {
		return sign.V2
	}
	return sign.V4
}

// versionSetting is what decides the version.
func (c clientConf) versionSetting(v sign.Version) string {
	if c.own {
		return fmt.Sprintf("signature.version to %d in static/client_conf.js", v)
	}
	return fmt.Sprintf("P3S3F_SIGNATURE_VERSION=%d", v)
}

// paramName is what a name in request.params must be to make a header that gets signed.
var paramName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// params are request.params; whole is false where the script computes some of them.
func (c clientConf) params() (params map[string]string, whole bool) { return c.under("request.params") }

// headerParams are those of params that can be headers.
func (c clientConf) headerParams() (params map[string]string, whole bool) {
	params, whole = c.params()
	maps.DeleteFunc(params, func(name, _ string) bool { return !paramName.MatchString(name) })
	return params, whole
}

// fields returns request.params and objectProperties.acl as far as the server signs them and they suit any
// file: what the server does not sign is checkClientConf's to tell, and no reason to doubt the store.
func (c clientConf) fields(allowedACLs []string) (params map[string]string, acl string) {
	params, _ = c.headerParams()
	maps.DeleteFunc(params, func(name, value string) bool {
		field, meta := paramField(name)
		encryption := strings.HasPrefix(field, encryptionHeader) && value != encryptionValue
		return !meta && (encryption || field == contentMD5)
	})
	if acl, _ = c.text("objectProperties.acl", "private"); !slices.Contains(allowedACLs, acl) {
		acl = "private"
	}
	return params, acl
}

// extra are the fields of encryption and storage class, where they are asked for.
func (c clientConf) extra() map[string]string {
	fields := map[string]string{}
	if c.on("objectProperties.serverSideEncryption") {
		fields[encryptionHeader] = encryptionValue
	}
	if c.on("objectProperties.reducedRedundancy") {
		fields[storageHeader] = storageValue
	}
	return fields
}

// checkClientConf has the server judge what the page would have signed, and compares the rest.
func (e *run) checkClientConf(ctx context.Context) []Result {
	c := e.conf
	switch {
	case c.file == "" && e.noStatic():
		return skipped("there is none here, nor a folder static: the server is an API alone")
	case c.file == "":
		return failed("there is no client_conf.js where doctor was started", "Start the server and doctor in the project's folder, or put static/client_conf.js there.")
	case c.fault != "":
		return failed(fmt.Sprintf("browsers cannot read %s: %s", c.file, c.fault), "Correct that line.")
	case !c.assigned:
		return failed(c.file+" does not make the variable fine_u_conf, which the page starts with", "Begin the settings with var fine_u_conf = { as in the shipped client_conf.js.")
	case !c.read:
		return warning(c.file+" does not assign an object to fine_u_conf that doctor can read", "Compare it with the shipped client_conf.js.")
	}
	var results []Result
	if c.own {
		results = e.compareOwn()
	}
	if results == nil { // else the first fault would be told again, in other words
		results = e.judgeSigning()
	}
	results = append(results, e.checkPartSize()...)
	results = append(results, e.checkRoutes(ctx)...)
	if e.set.AllowDelete || !c.own || !c.on("deleteFile.enabled") { // in the one it makes, the server offers none
		return e.sumUp(results)
	}
	return e.sumUp(append(results, warning(c.file+" shows a delete button (deleteFile.enabled), but P3S3F_ALLOW_DELETE=0", "Set deleteFile.enabled to false, or P3S3F_ALLOW_DELETE=1.")...))
}

func (e *run) sumUp(results []Result) []Result {
	switch {
	case results != nil:
		return results
	case e.conf.own:
		return ok("%s agrees with the server's settings", e.conf.file)
	}
	return ok("%s, with the server's settings filled in", e.conf.file)
}

// compareOwn compares a hand-made configuration with the settings, option by option.
func (e *run) compareOwn() []Result {
	var results []Result
	compare := func(option, byDefault string, right []string) {
		switch got, known := e.conf.text(option, byDefault); {
		case !known:
			results = append(results, warning(fmt.Sprintf("%s computes %s, which doctor cannot follow", e.conf.file, option), fmt.Sprintf("See to it that it gives %q.", right[0]))...)
		case !slices.Contains(right, got):
			results = append(results, failed(fmt.Sprintf("%s has %s %q", e.conf.file, option, got), fmt.Sprintf("Set %s to %q.", option, right[0]))...)
		}
	}
	endpoints := e.endpoints()
	if got, known := e.conf.text("request.endpoint", ""); known && slices.Contains(endpoints, strings.TrimRight(got, "/")) && strings.HasSuffix(got, "/") {
		results = append(results, failed(fmt.Sprintf("%s has a slash at the end of request.endpoint %q, so that every key begins with one", e.conf.file, got), fmt.Sprintf("Set request.endpoint to %q.", strings.TrimRight(got, "/")))...)
	} else {
		compare("request.endpoint", "", endpoints)
	}
	if got, known := e.conf.text("request.accessKey", ""); known && got != e.set.Sign.AccessKey {
		results = append(results, failed(fmt.Sprintf("%s has another request.accessKey than the server", e.conf.file), fmt.Sprintf("Set request.accessKey to what AWS_CLIENT_ACCESS_KEY is (%s).", hint(e.set.Sign.AccessKey)))...)
	}
	compare("objectProperties.bucket", "", []string{e.set.Sign.Bucket})
	if e.version() == sign.V4 {
		compare("objectProperties.region", "us-east-1", []string{e.set.Sign.Region})
	}
	return results
}

// endpoints are the values of request.endpoint that the server signs for and the page may send to, the
// preferred one first.
func (e *run) endpoints() []string {
	preferred, _ := browserAddress(e.set)
	given, _ := e.set.Sign.BucketURL()
	list := []string{preferred, given}
	signer, err := sign.New(e.set.Sign)
	if err != nil {
		return list
	}
	for _, origin := range signer.Origins() {
		switch virtual := strings.Contains(origin, "://"+e.set.Sign.Bucket+"."); {
		case !virtual:
			list = append(list, origin+"/"+e.set.Sign.Bucket)
		case e.signsVirtual():
			list = append(list, origin)
		}
	}
	return list
}

// signsVirtual reports whether the server signs for virtual hosts: a V2 string is the same for both styles.
func (e *run) signsVirtual() bool {
	return e.set.Sign.VirtualHosted || e.version() == sign.V2 || e.set.Sign.IsAWS()
}

// judgeSigning hands the server what Fine Uploader would, from the options in the file.
func (e *run) judgeSigning() []Result {
	u := e.page()
	signer, err := sign.New(e.set.Sign)
	if err != nil {
		panic(err) // checkSettings has passed
	}
	u.signer = signer
	u.params, _ = e.conf.params()
	u.acl, _ = e.conf.text("objectProperties.acl", "private")
	if e.conf.own {
		endpoint, _ := e.conf.text("request.endpoint", u.endpoint)
		_, rest, _ := strings.Cut(endpoint, "://")
		u.host, _ = e.conf.text("objectProperties.host", rest) // Fine Uploader's own guess keeps the path
		u.sizeLimit = 0
		if limit, _ := e.conf.number("validation.sizeLimit", 0); limit > 0 {
			u.sizeLimit = int64(limit)
		}
	}
	f := file{key: "file.png", name: "file.png", contentType: e.contentType(), extra: e.conf.extra()}
	at := e.cfg.Now().UTC()
	document, _ := u.policy(f, at)
	if _, err := u.signer.ParsePolicy(u.version, document, at); err != nil {
		return e.refused(err)
	}
	text, _, at := u.stringToSign(f.key, u.initiation(f))
	if _, err := u.signer.ParseStringToSign(u.version, text, at); err != nil {
		return e.refused(err)
	}
	return nil
}

func (e *run) refused(err error) []Result {
	text, fix := splitSentence(err.Error())
	return failed(fmt.Sprintf("with %s the server refuses to sign: %s", e.conf.file, text), fix)
}

// checkPartSize wants parts that stores take.
func (e *run) checkPartSize() []Result {
	size, _ := e.conf.number("chunking.partSize", partBytes)
	if size >= partBytes || !e.conf.on("chunking.enabled") {
		return nil
	}
	return failed(fmt.Sprintf("%s has chunking.partSize %v, and stores take no part under 5 MiB but the last", e.conf.file, size), fmt.Sprintf("Set chunking.partSize to %d or more.", partBytes))
}

// bundleVersion is the Fine Uploader that this server was made and tested with.
const bundleVersion = "5.16.2"

const bundleFile = "static/s3.fine-uploader.min.js"

// bundle reads the page's Fine Uploader.
func (e *run) bundle() ([]byte, error) {
	return fs.ReadFile(e.cfg.Files, bundleFile)
}

// hasWorkAround reports whether the bundle was made with CEPH=1 (bundle/build.mjs).
func (e *run) hasWorkAround() bool {
	script, err := e.bundle()
	return err == nil && strings.Contains(string(script), `.type || "application/octet-stream"`)
}

// noStatic reports whether the server is an API alone.
func (e *run) noStatic() bool {
	return !e.set.ServePage
}

// checkBundle looks at the version that Fine Uploader's first line tells.
func (e *run) checkBundle(context.Context) []Result {
	if e.noStatic() {
		return skipped("P3S3F_SERVE_PAGE is 0: the server is an API alone")
	}
	script, err := e.bundle()
	first, _, _ := strings.Cut(string(script), "\n")
	switch {
	case err != nil:
		return failed(bundleFile+" is not there", "Run make static.")
	case !strings.Contains(first, "Fine Uploader "):
		return failed(bundleFile+" is not Fine Uploader", "Run make static.")
	case !strings.Contains(first, "Fine Uploader "+bundleVersion+" "):
		return failed(fmt.Sprintf("%s is not version %s, which this server was tested with: %s", bundleFile, bundleVersion, oneLine(first)), "Run make static.")
	case e.hasWorkAround():
		return ok("Fine Uploader %s, with the work-around for old Ceph", bundleVersion)
	}
	return ok("Fine Uploader %s", bundleVersion)
}
