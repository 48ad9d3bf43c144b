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

// clientConf is the page's client_conf.js: the user's own static/client_conf.js, or else the one that the server
// fills its settings into. Its object is nil where fine_u_conf is none that can be read.
type clientConf struct {
	object
	file     string // empty: there is none
	own      bool   // it is static/client_conf.js
	assigned bool   // fine_u_conf gets a value
	err      error  // of the syntax
}

func readClientConf(files fs.FS) clientConf {
	for _, name := range []string{"static/client_conf.js", "client_conf.js"} {
		if text, err := fs.ReadFile(files, name); err == nil {
			c := clientConf{file: name, own: strings.HasPrefix(name, "static/")}
			globals, err := readScript(string(text))
			c.object, _ = globals["fine_u_conf"].(object)
			c.assigned, c.err = globals["fine_u_conf"] != nil, err
			return c
		}
	}
	return clientConf{}
}

// version is the signature version that the page will use. Fine Uploader's default is 2.
func (c clientConf) version(set config.Config) sign.Version {
	if !c.own || c.object == nil {
		return set.SignatureVersion
	}
	if v, known := c.number("signature.version", 2); known && v == 2 {
		return sign.V2
	}
	return sign.V4
}

// versionSetting names the setting that makes the page use a signature version.
func (c clientConf) versionSetting(v sign.Version) string {
	if c.own {
		return fmt.Sprintf("signature.version to %d in static/client_conf.js", v)
	}
	return fmt.Sprintf("P3S3F_SIGNATURE_VERSION=%d", v)
}

// headerName matches the names in request.params that can become headers.
var headerName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// params are request.params; whole is false where the script computes some of them.
func (c clientConf) params() (params map[string]string, whole bool) { return c.under("request.params") }

// headerParams are those of params that can be headers.
func (c clientConf) headerParams() (params map[string]string, whole bool) {
	params, whole = c.params()
	maps.DeleteFunc(params, func(name, _ string) bool { return !headerName.MatchString(name) })
	return params, whole
}

// fields returns the request.params and the objectProperties.acl that the server signs for any file.
// checkClientConf reports the others, which say nothing about the store.
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

// extra are the headers for encryption and storage class that the options switch on.
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

// checkClientConf compares client_conf.js with the settings, and parses with the server's code what the page would
// have signed.
func (e *run) checkClientConf(ctx context.Context) []Result {
	c := e.conf
	switch {
	case c.file == "" && e.apiOnly():
		return skipped("P3S3F_SERVE_PAGE is 0: the server is an API alone")
	case c.file == "":
		return failed("there is no client_conf.js that can be read",
			"Make client_conf.js readable, or put static/client_conf.js beside it.")
	case c.err != nil:
		return failed(fmt.Sprintf("%s has a syntax error in %s", c.file, c.err),
			"Correct it there or just before; often a comma, a quote or a bracket is missing.")
	case !c.assigned:
		return failed(c.file+" does not make the variable fine_u_conf, which the page starts with",
			"Begin the settings with var fine_u_conf = { as in the shipped client_conf.js.")
	case c.object == nil:
		return warning(c.file+" does not assign an object to fine_u_conf that doctor can read",
			"Compare it with the shipped client_conf.js.")
	}
	results := e.compareOwn()
	if results == nil { // what a wrong option does to signing is the same mistake
		results = e.checkSigning()
	}
	results = append(results, e.checkPartSize()...)
	results = append(results, e.checkRoutes(ctx)...)
	if c.own && c.on("deleteFile.enabled") && !e.set.AllowDelete {
		results = append(results, warning(c.file+" shows a delete button (deleteFile.enabled), but P3S3F_ALLOW_DELETE=0",
			"Set deleteFile.enabled to false, or P3S3F_ALLOW_DELETE=1.")...)
	}
	switch {
	case results != nil:
		return results
	case c.own:
		return ok("%s agrees with the server's settings", c.file)
	}
	return ok("%s, with the server's settings filled in", c.file)
}

// compareOwn compares the options of static/client_conf.js with the settings.
func (e *run) compareOwn() (results []Result) {
	if !e.conf.own {
		return nil
	}
	compare := func(option, byDefault string, allowed ...string) {
		actual, known := e.conf.text(option, byDefault)
		what, fix := fmt.Sprintf("%s %q", option, actual), fmt.Sprintf("Set %s to %q.", option, allowed[0])
		bare := strings.TrimRight(actual, "/")
		switch {
		case !known:
			results = append(results, warning(fmt.Sprintf("%s computes %s, which doctor cannot follow", e.conf.file, option),
				fmt.Sprintf("Make sure that it is %q.", allowed[0]))...)
			return
		case slices.Contains(allowed, actual):
			return
		case option == "request.accessKey": // the value may be the secret key
			what = "another request.accessKey than the server"
			fix = "Set request.accessKey to what AWS_CLIENT_ACCESS_KEY is (" + hint(allowed[0]) + ")."
		case slices.Contains(allowed, bare):
			what = fmt.Sprintf("a slash at the end of %s %q, so that every key begins with a slash", option, actual)
			fix = fmt.Sprintf("Set %s to %q.", option, bare)
		}
		results = append(results, failed(e.conf.file+" has "+what, fix)...)
	}
	compare("request.endpoint", "", e.endpoints()...)
	if _, known := e.conf.text("request.accessKey", ""); known {
		compare("request.accessKey", "", e.set.Sign.AccessKey)
	}
	compare("objectProperties.bucket", "", e.set.Sign.Bucket)
	if e.version() == sign.V4 {
		compare("objectProperties.region", "us-east-1", e.set.Sign.Region)
	}
	return results
}

// endpoints are the values of request.endpoint that the server signs for and the page may send to, the
// preferred one first.
func (e *run) endpoints() []string {
	preferred, _ := browserAddress(e.set)
	given, _ := e.set.Sign.BucketURL()
	list := []string{preferred, given}
	// A V2 string to sign is the same for both styles.
	signsVirtual := e.set.Sign.VirtualHosted || e.version() == sign.V2 || e.set.Sign.IsAWS()
	for _, origin := range newSigner(e.set).Origins() {
		switch virtual := strings.Contains(origin, "://"+e.set.Sign.Bucket+"."); {
		case !virtual:
			list = append(list, origin+"/"+e.set.Sign.Bucket)
		case signsVirtual:
			list = append(list, origin)
		}
	}
	return list
}

func newSigner(set config.Config) *sign.Signer {
	signer, err := sign.New(set.Sign)
	if err != nil {
		panic(err) // checkSettings has passed
	}
	return signer
}

// checkSigning parses what Fine Uploader would have signed with the options in the file.
func (e *run) checkSigning() []Result {
	u := e.page()
	u.signer = newSigner(e.set)
	u.params, _ = e.conf.params()
	u.acl, _ = e.conf.text("objectProperties.acl", "private")
	if e.conf.own {
		endpoint, _ := e.conf.text("request.endpoint", u.endpoint)
		_, rest, _ := strings.Cut(endpoint, "://")
		u.host, _ = e.conf.text("objectProperties.host", rest) // Fine Uploader's default keeps the path
		limit, _ := e.conf.number("validation.sizeLimit", 0)
		u.sizeLimit = int64(max(limit, 0))
	}
	f := file{key: "file.png", name: "file.png", contentType: e.contentType(), extra: e.conf.extra()}
	at := e.cfg.Now().UTC()
	document, _ := u.policy(f, at)
	_, err := u.signer.ParsePolicy(u.version, document, at)
	if err == nil {
		text, _, at := u.stringToSign(f.key, u.initiation(f))
		_, err = u.signer.ParseStringToSign(u.version, text, at)
	}
	if err == nil {
		return nil
	}
	text, fix := splitSentence(err.Error())
	return failed(fmt.Sprintf("with %s the server refuses to sign: %s", e.conf.file, text), fix)
}

// checkPartSize compares the size of parts with the least that stores take.
func (e *run) checkPartSize() []Result {
	size, _ := e.conf.number("chunking.partSize", partBytes)
	if size >= partBytes || !e.conf.on("chunking.enabled") {
		return nil
	}
	const text = "%s has chunking.partSize %v, and stores take no part under 5 MiB except the last"
	return failed(fmt.Sprintf(text, e.conf.file, size), fmt.Sprintf("Set chunking.partSize to %d or more.", partBytes))
}
