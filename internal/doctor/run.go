package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/clientconf"
	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/fineuploader"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
	"s3-sign-srv/internal/sign"
)

// run is one run of the checks: its configuration, and what earlier checks have found out for later ones.
type run struct {
	cfg    Config
	set    config.Config
	setErr error // of the settings; if not nil, set must not be used to reach the store
	conf   clientconf.Conf
	http   *http.Client

	prefix    string     // of every key that is written
	resources []resource // to be removed
	wrote     bool       // there was something to remove

	unsignedResponse fineuploader.Response // to an unsigned request for the bucket
	probes           map[probe]error       // results of initiating an upload

	location string   // of the bucket
	keysErr  error    // of the first signed call, for the location
	buckets  []string // that the key can see

	keepsVersions bool
	deletes       bool     // the key may delete
	writes        bool     // what is written can be removed completely
	uploads       []upload // that have succeeded

	rules        s3admin.CORS // of the bucket
	formResponse fineuploader.Response
}

// upload is an object that was uploaded.
type upload struct {
	method string // form or multipart
	fineuploader.File
}

// style is how the bucket is addressed.
type style bool

const (
	pathStyle     style = false
	virtualHosted style = true
)

func (s style) String() string {
	if s == virtualHosted {
		return "virtual"
	}
	return "path"
}

// probe is one way to reach the bucket.
type probe struct {
	style   style
	version sign.Version
}

func newRun(cfg Config) *run {
	r := &run{cfg: cfg, prefix: Prefix + strings.ToLower(rand.Text()[:10]) + "/", probes: map[probe]error{}}
	r.setErr = cfg.EnvError
	if cfg.Getenv == nil {
		r.cfg.Getenv = func(string) string { return "" }
	}
	var err error
	r.set, err = config.Load(r.cfg.Getenv)
	if cfg.Getenv != nil {
		r.setErr = errors.Join(cfg.EnvError, err)
	}
	r.conf = clientconf.Read(cfg.Files)
	r.http = &http.Client{
		Transport:     s3.NewTransport(),
		Timeout:       Limit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r
}

// host returns the host of the store, as in the settings.
func (r *run) host() string { return r.set.Sign.Endpoint.Host }

// bucket makes calls to the bucket in one style.
func (r *run) bucket(s style) *s3admin.Bucket {
	return s3admin.New(s3.Config{
		AccessKey: r.set.Sign.AccessKey, SecretKey: r.set.Sign.SecretKey, Endpoint: r.set.Sign.Endpoint,
		Region: r.set.Sign.Region, Name: r.set.Sign.Bucket, VirtualHosted: bool(s),
	})
}

// server makes calls to the bucket as the server does.
func (r *run) server() *s3admin.Bucket { return r.bucket(style(r.set.Sign.VirtualHosted)) }

// style returns the style that the page uses: that of the settings, unless its own client_conf.js has another.
func (r *run) style() style {
	if r.conf.Custom && r.set.Sign.Endpoint != nil {
		endpoint, _ := r.conf.Text("request.endpoint", "")
		switch scheme := r.set.Sign.Endpoint.Scheme + "://"; strings.TrimRight(endpoint, "/") {
		case scheme + r.set.Sign.Bucket + "." + r.host():
			return virtualHosted
		case scheme + r.host() + "/" + r.set.Sign.Bucket:
			return pathStyle
		}
	}
	return style(r.set.Sign.VirtualHosted)
}

// withStyle returns the settings with another style.
func (r *run) withStyle(s style) config.Config {
	set := r.set
	set.Sign.VirtualHosted = bool(s)
	return set
}

// call makes a call in path style, and in the other one if the store does not seem to know the first. It is for
// checks that run before it is known which style works.
func (r *run) call(f func(*s3admin.Bucket) error) error {
	known := []string{"NoSuchBucket", "AccessDenied", "InvalidAccessKeyId", "XAdminUserNotFound", "UserSuspended",
		"SignatureDoesNotMatch", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed"}
	err := f(r.bucket(pathStyle))
	if err == nil || slices.Contains(known, s3.Code(err)) || r.set.Sign.IsAddress() ||
		errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if f(r.bucket(virtualHosted)) == nil {
		return nil
	}
	return err
}

// version returns the signature version that the page uses.
func (r *run) version() sign.Version { return r.conf.Version(r.set.SignatureVersion) }

// client returns Fine Uploader for one way to reach the bucket.
func (r *run) client(p probe) fineuploader.Client {
	set := r.withStyle(p.style)
	set.Sign.OnlyV2 = false // the store is checked, not the server
	endpoint, host := set.Sign.BucketURL()
	params, _ := r.conf.Under("request.params")
	acl, _ := r.conf.Text("objectProperties.acl", "private")
	return fineuploader.Client{
		Signer: sign.New(set.Sign), HTTP: r.http, Now: r.cfg.Now, Origin: r.origins()[0], Version: p.version,
		Endpoint: endpoint, Host: host, Bucket: set.Sign.Bucket, Region: set.Sign.Region,
		AccessKey: set.Sign.AccessKey, ACL: acl, SizeLimit: set.Sign.MaxBytes, Params: params,
	}
}

// page returns Fine Uploader as the page configures it.
func (r *run) page() fineuploader.Client { return r.client(probe{r.style(), r.version()}) }

// unsignedPayload reports whether the page sends parts without their SHA-256.
func (r *run) unsignedPayload() bool {
	if r.conf.Custom {
		return r.conf.On("signature.unsignedPayload") && r.set.Sign.Endpoint.Scheme == "https"
	}
	return r.set.Sign.AllowsUnsignedPayload()
}

// sendsForms reports whether the page uploads small files by form.
func (r *run) sendsForms() bool {
	return !r.conf.On("chunking.enabled") || !r.conf.On("chunking.mandatory")
}

// origins returns the origins of pages that upload: the server's own and those that the settings allow.
func (r *run) origins() []string {
	if len(r.cfg.Origins) > 0 {
		return r.cfg.Origins
	}
	return append([]string{r.set.Origin()}, r.set.AllowedOrigins...)
}
