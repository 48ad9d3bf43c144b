package doctor

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"s3-sign-srv/internal/fineuploader"
	"s3-sign-srv/internal/sign"
)

// checkClientConf compares client_conf.js with the settings, and checks with the server's code that the requests it
// leads to are signed.
func (r *run) checkClientConf(context.Context) []Result {
	c := r.conf
	switch {
	case c.File == "" && !r.set.ServePage:
		return skipped("P3S3F_SERVE_PAGE is 0: the server is an API only")
	case c.File == "":
		return failed("client_conf.js cannot be read", "Make client_conf.js readable.")
	case c.Err != nil:
		return failed(fmt.Sprintf("%s has a syntax error in %s", c.File, c.Err),
			"Correct it there or just before; often a comma, a quote or a bracket is missing.")
	case !c.Assigned:
		return failed(c.File+" does not set the variable fine_u_conf, which the page needs",
			"Begin the configuration with var fine_u_conf = { as in the shipped client_conf.js.")
	case c.Object == nil:
		return warning(c.File+" does not assign an object to fine_u_conf that doctor can read",
			"Compare it with the shipped client_conf.js.")
	}
	results := r.compareOptions()
	if results == nil { // otherwise it would be reported twice
		results = r.checkSigning()
	}
	results = append(results, r.checkPartSize()...)
	results = append(results, r.checkRoutes()...)
	if c.Custom && c.On("deleteFile.enabled") && !r.set.AllowDelete {
		results = append(results, warning(c.File+" shows a delete button (deleteFile.enabled), but P3S3F_ALLOW_DELETE=0",
			"Set deleteFile.enabled to false, or P3S3F_ALLOW_DELETE=1.")...)
	}
	switch {
	case results != nil:
		return results
	case c.Custom:
		return ok("%s agrees with the server's settings", c.File)
	}
	return ok("%s, with the server's settings added", c.File)
}

// compareOptions compares the options in static/client_conf.js with the settings.
func (r *run) compareOptions() (results []Result) {
	if !r.conf.Custom {
		return nil
	}
	results = r.compareOption("request.endpoint", "", r.endpoints()...)
	if _, known := r.conf.Text("request.accessKey", ""); known {
		results = append(results, r.compareOption("request.accessKey", "", r.set.Sign.AccessKey)...)
	}
	results = append(results, r.compareOption("objectProperties.bucket", "", r.set.Sign.Bucket)...)
	if r.version() == sign.V4 {
		results = append(results, r.compareOption("objectProperties.region", "us-east-1", r.set.Sign.Region)...)
	}
	return results
}

// compareOption returns nil if an option has one of the allowed values, of which the first is preferred.
func (r *run) compareOption(option, byDefault string, allowed ...string) []Result {
	actual, known := r.conf.Text(option, byDefault)
	bare := strings.TrimRight(actual, "/")
	switch {
	case !known:
		return warning(fmt.Sprintf("%s computes %s, which doctor cannot evaluate", r.conf.File, option),
			fmt.Sprintf("Make sure that it is %q.", allowed[0]))
	case slices.Contains(allowed, actual):
		return nil
	case option == "request.accessKey": // the value may be the secret key
		return failed(r.conf.File+" has another request.accessKey than the server",
			"Set request.accessKey to the value of AWS_CLIENT_ACCESS_KEY ("+abbreviate(allowed[0])+").")
	case slices.Contains(allowed, bare):
		return failed(fmt.Sprintf("%s has a slash at the end of %s %q, so every key begins with a slash",
			r.conf.File, option, actual), fmt.Sprintf("Set %s to %q.", option, bare))
	}
	return failed(fmt.Sprintf("%s has %s %q", r.conf.File, option, actual),
		fmt.Sprintf("Set %s to %q.", option, allowed[0]))
}

// endpoints returns the values of request.endpoint for which the server signs, the preferred one first.
func (r *run) endpoints() []string {
	preferred, _ := browserAddress(r.set)
	given, _ := r.set.Sign.BucketURL()
	list := []string{preferred, given}
	// A version 2 string to sign is the same for both styles.
	signsVirtual := r.set.Sign.VirtualHosted || r.version() == sign.V2 || r.set.Sign.IsAWS()
	for _, origin := range newSigner(r.set).Origins() {
		switch virtual := strings.Contains(origin, "://"+r.set.Sign.Bucket+"."); {
		case !virtual:
			list = append(list, origin+"/"+r.set.Sign.Bucket)
		case signsVirtual:
			list = append(list, origin)
		}
	}
	return list
}

// checkSigning parses what Fine Uploader sends to the server for the options in the file.
func (r *run) checkSigning() []Result {
	u := r.page()
	u.Signer = newSigner(r.set)
	u.Params, _ = r.conf.Under("request.params")
	u.ACL, _ = r.conf.Text("objectProperties.acl", "private")
	if r.conf.Custom {
		endpoint, _ := r.conf.Text("request.endpoint", u.Endpoint)
		_, rest, _ := strings.Cut(endpoint, "://")
		u.Host, _ = r.conf.Text("objectProperties.host", rest) // Fine Uploader's default keeps the path
		limit, _ := r.conf.Number("validation.sizeLimit", 0)
		u.SizeLimit = int64(max(limit, 0))
	}
	f := fineuploader.File{Key: "file.png", Name: "file.png", ContentType: r.contentType(), Extra: r.conf.Extra()}
	at := r.cfg.Now().UTC()
	document, _ := u.Policy(f, at)
	_, err := u.Signer.ParsePolicy(u.Version, document, at)
	if err == nil {
		text, _, at := u.StringToSign(f.Key, u.InitiateRequest(f))
		_, err = u.Signer.ParseStringToSign(u.Version, text, at)
	}
	if err == nil {
		return nil
	}
	text, fix := splitSentence(err.Error())
	return failed(fmt.Sprintf("the server refuses to sign the requests of %s: %s", r.conf.File, text), fix)
}

// checkPartSize compares the part size with the minimum of S3.
func (r *run) checkPartSize() []Result {
	size, _ := r.conf.Number("chunking.partSize", sign.MinPartBytes)
	if size >= sign.MinPartBytes || !r.conf.On("chunking.enabled") {
		return nil
	}
	return failed(fmt.Sprintf("%s has chunking.partSize %v, and stores reject parts under 5 MiB except the last",
		r.conf.File, size), fmt.Sprintf("Set chunking.partSize to %d or more.", sign.MinPartBytes))
}

// checkRoutes checks that client_conf.js names the server's routes.
func (r *run) checkRoutes() (results []Result) {
	results = r.checkRoute("signature.endpoint", "/s3/sign", "nothing is signed")
	results = append(results, r.checkRoute("uploadSuccess.endpoint", "/s3/success", "uploads are not reported")...)
	if r.set.AllowDelete && r.conf.On("deleteFile.enabled") {
		results = append(results, r.checkRoute("deleteFile.endpoint", "/s3/delete", "nothing is deleted")...)
	}
	return results
}

func (r *run) checkRoute(option, path, without string) []Result {
	value, known := r.conf.Text(option, "")
	u, err := url.Parse(value)
	has, fix := fmt.Sprintf("%s has %s %q", r.conf.File, option, value), fmt.Sprintf("Set %s to %q.", option, path)
	switch {
	case !known:
		return nil
	case value == "":
		return failed(fmt.Sprintf("%s has no %s, so %s", r.conf.File, option, without), fix)
	case err != nil:
		return failed(has+", which is not a URL", fix)
	case u.Host != "" && !slices.Contains(r.origins(), u.Scheme+"://"+u.Host):
		return warning(fmt.Sprintf("%s has %s at %s, which doctor does not know", r.conf.File, option, u.Host),
			"Make sure that it is this server, or pass it to doctor with -origin.")
	case u.Query().Has("v4"):
		return failed(fmt.Sprintf("%s has v4 in %s, which Fine Uploader adds itself", r.conf.File, option), fix)
	case "/"+strings.TrimPrefix(u.Path, "/") == path:
		return nil
	case strings.HasSuffix(u.Path, path):
		return warning(has+", and the server's own route is "+path, "Make sure that a proxy removes the prefix.")
	}
	return failed(has+", which is not the server's route", fix)
}
