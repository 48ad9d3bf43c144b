package doctor

import (
	"cmp"
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
func (r *run) checkClientConf(context.Context) (results []Result) {
	c := r.conf
	switch {
	case c.ReadErr != nil:
		return failed(c.File+" cannot be read", "Make it a readable file or a link to one in static/, or remove it.")
	case c.Err != nil:
		return failed(fmt.Sprintf("%s has a syntax error in %s", c.File, c.Err),
			"Correct it there or just before; often a comma, a quote or a bracket is missing.")
	case !c.Assigned:
		return failed(c.File+" does not set the variable fine_u_conf, which the page needs",
			"Begin the configuration with var fine_u_conf = { as in the shipped client_conf.js.")
	case c.Object == nil:
		return warning(c.File+" computes fine_u_conf, so doctor cannot check it",
			"Assign an object to fine_u_conf, as the shipped client_conf.js does.")
	}
	if c.Custom {
		results = r.checkAddress()
	}
	if results == nil { // otherwise it would be reported twice
		results = r.checkSigning()
	}
	size, _ := c.Number("chunking.partSize", sign.MinPartBytes)
	if size < sign.MinPartBytes && c.On("chunking.enabled") {
		results = append(results, failed(fmt.Sprintf("%s has chunking.partSize %v, and stores reject parts under 5 MiB "+
			"except the last", c.File, size), fmt.Sprintf("Set chunking.partSize to %d or more.", sign.MinPartBytes))...)
	}
	results = append(results, r.checkRoute("signature.endpoint", "/s3/sign")...)
	results = append(results, r.checkRoute("uploadSuccess.endpoint", "/s3/success")...)
	switch {
	case c.On("deleteFile.enabled") && r.set.AllowDelete:
		results = append(results, r.checkRoute("deleteFile.endpoint", "/s3/delete")...)
	case c.On("deleteFile.enabled") && c.Custom:
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

// checkAddress compares what no signature covers: request.endpoint, and under version 2 request.accessKey.
func (r *run) checkAddress() []Result {
	endpoints := r.endpoints()
	endpoint, known := r.conf.Text("request.endpoint", "")
	if known && !slices.Contains(endpoints, endpoint) {
		return failed(fmt.Sprintf("%s has request.endpoint %q", r.conf.File, endpoint),
			fmt.Sprintf("Set request.endpoint to %q.", endpoints[0]))
	}
	accessKey, known := r.conf.Text("request.accessKey", "")
	if known && accessKey != r.set.Sign.AccessKey { // the value may be the secret key
		return failed(r.conf.File+" has another request.accessKey than the server",
			"Set request.accessKey to the value of AWS_CLIENT_ACCESS_KEY ("+abbreviate(r.set.Sign.AccessKey)+").")
	}
	return nil
}

// endpoints returns the values of request.endpoint for which the server signs, the preferred one first.
func (r *run) endpoints() []string {
	preferred, _ := r.set.Sign.BucketURL()
	list := []string{preferred}
	// A version 2 string to sign is the same for both styles.
	signsVirtual := r.set.Sign.VirtualHosted || r.version() == sign.V2 || r.set.Sign.IsAWS()
	for _, origin := range sign.New(r.set.Sign).Origins() {
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
	u.Signer, u.UnsignedPayload = sign.New(r.set.Sign), r.unsignedPayload()
	if r.conf.Custom {
		endpoint, _ := r.conf.Text("request.endpoint", u.Endpoint)
		_, rest, _ := strings.Cut(endpoint, "://")
		u.Host, _ = r.conf.Text("objectProperties.host", rest) // Fine Uploader's default keeps the path
		if bucket, known := r.conf.Text("objectProperties.bucket", ""); known {
			u.Bucket = cmp.Or(bucket, r.set.Sign.Endpoint.Hostname()) // Fine Uploader's guess
		}
		if region, known := r.conf.Text("objectProperties.region", "us-east-1"); known {
			u.Region = region
		}
		limit, _ := r.conf.Number("validation.sizeLimit", 0)
		u.SizeLimit = int64(max(limit, 0))
	}
	f := fineuploader.File{Key: "file.png", Name: "file.png", ContentType: r.contentType(), Extra: r.conf.Extra()}
	at := r.cfg.Now().UTC()
	document, _ := u.Policy(f, at)
	_, err := u.Signer.ParsePolicy(u.Version, document, at)
	for _, request := range []fineuploader.Request{u.InitiateRequest(f), u.PartRequest("id", 1, nil)} {
		if err == nil {
			text, _, at := u.StringToSign(f.Key, request)
			_, err = u.Signer.ParseStringToSign(u.Version, text, at)
		}
	}
	if err == nil {
		return nil
	}
	text, fix := splitSentence(err.Error())
	return failed(fmt.Sprintf("the server refuses to sign the requests of %s: %s", r.conf.File, text), fix)
}

// checkRoute checks that an option names a route of this server.
func (r *run) checkRoute(option, route string) []Result {
	value, known := r.conf.Text(option, "")
	u, err := url.Parse(value)
	if !known {
		return nil
	}
	has := fmt.Sprintf("%s has %s %q", r.conf.File, option, value)
	// Fine Uploader adds v4 itself.
	if err == nil && !u.Query().Has("v4") && strings.HasSuffix("/"+u.Path, "/"+strings.TrimPrefix(route, "/")) {
		sameHost := u.Host == "" || slices.Contains(r.origins(), u.Scheme+"://"+u.Host)
		if sameHost && "/"+strings.TrimPrefix(u.Path, "/") == route {
			return nil
		}
		return warning(has+", and doctor does not know whether requests to it reach this server",
			"Make sure that a proxy removes the prefix, or pass the page's origin to doctor with -origin.")
	}
	return failed(has, fmt.Sprintf("Set %s to %q.", option, route))
}
