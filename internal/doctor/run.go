package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
	"s3-sign-srv/internal/sign"
)

// run is one examination: what it was told, and what its checks have found out for those after them.
type run struct {
	cfg    Config
	set    config.Config
	faults error // of the settings; with them, set is of no use for asking the store
	conf   clientConf
	http   *http.Client

	prefix           string          // of every key that is written
	resources        []resource      // what has to be removed
	wrote            bool            // there was something to remove
	unsignedResponse answer          // to an unsigned question for the bucket
	probes           map[probe]error // what came of beginning an upload, by style and version

	names   []string // of all buckets that the keys see
	keysErr error    // of the first signed call

	keepsVersions bool
	deletes       bool     // the key may delete
	writes        bool     // what is written can be removed without a trace
	stored        []stored // by the uploads

	rules      s3admin.CORS // of the bucket
	rulesKnown bool
	toldETag   string // the check that has told what is wrong with the answers to parts
	formAnswer answer
}

// stored is an object that was uploaded, and how.
type stored struct {
	how string
	file
}

// style is a way to address the bucket.
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
	unread := cfg.Getenv == nil
	if unread {
		cfg.Getenv = func(string) string { return "" }
	}
	e := &run{cfg: cfg, prefix: Prefix + strings.ToLower(rand.Text()[:10]) + "/", probes: map[probe]error{}}
	var faults error
	e.set, faults = config.Load(cfg.Getenv)
	if e.faults = cfg.Fault; !unread {
		e.faults = errors.Join(cfg.Fault, faults)
	}
	e.conf = readClientConf(cfg.Files)
	e.http = &http.Client{
		Transport:     s3.NewTransport(),
		Timeout:       Limit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e
}

func (e *run) close() { e.http.CloseIdleConnections() }

// host is the store's, as the settings spell it.
func (e *run) host() string { return e.set.Sign.Endpoint.Host }

// store returns the calls that the server itself makes, in one style.
func (e *run) store(s style) *s3admin.Bucket {
	return s3admin.New(s3.Config{
		AccessKey: e.set.Sign.AccessKey, SecretKey: e.set.Sign.SecretKey, Endpoint: e.set.Sign.Endpoint,
		Region: e.set.Sign.Region, Name: e.set.Sign.Bucket, VirtualHosted: bool(s),
	})
}

// server returns the calls as the server will make them.
func (e *run) server() *s3admin.Bucket { return e.store(style(e.set.Sign.VirtualHosted)) }

// style is the one that the page uses: the settings', unless its own client_conf.js says otherwise.
func (e *run) style() style {
	if e.conf.own && e.set.Sign.Endpoint != nil {
		host := e.set.Sign.Bucket + "." + e.host()
		switch endpoint, _ := e.conf.text("request.endpoint", ""); strings.TrimRight(endpoint, "/") {
		case e.set.Sign.Endpoint.Scheme + "://" + host:
			return virtualHosted
		case e.set.Sign.Endpoint.String() + "/" + e.set.Sign.Bucket:
			return pathStyle
		}
	}
	return style(e.set.Sign.VirtualHosted)
}

// pageSettings are the settings with the page's style.
func (e *run) pageSettings() config.Config {
	set := e.set
	set.Sign.VirtualHosted = bool(e.style())
	return set
}

// reach makes a call in path style, and in the other one where the store seems not to know the first.
// It is for the questions before it is known which style works.
func (e *run) reach(call func(*s3admin.Bucket) error) error {
	err := call(e.store(pathStyle))
	switch s3.Code(err) {
	case "NoSuchBucket", "AccessDenied", "InvalidAccessKeyId", "XAdminUserNotFound", "UserSuspended", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed":
		return err
	}
	if err == nil || e.set.Sign.IsAddress() || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if call(e.store(virtualHosted)) == nil {
		return nil
	}
	return err
}

// version is the signature version that the page will use.
func (e *run) version() sign.Version { return e.conf.version(e.set) }

// uploader returns the page's requests for one way to reach the bucket.
func (e *run) uploader(t probe) uploader {
	set := e.set
	set.Sign.VirtualHosted, set.Sign.OnlyV2 = bool(t.style), false // the store is in question, not the server
	signer, err := sign.New(set.Sign)
	if err != nil {
		panic(err) // checkSettings has passed
	}
	endpoint, host := browserAddress(set)
	params, acl := e.conf.fields(set.Sign.ACLs)
	return uploader{
		signer: signer, http: e.http, now: e.cfg.Now, origin: e.origins()[0], version: t.version,
		endpoint: endpoint, host: host, bucket: set.Sign.Bucket, region: set.Sign.Region, accessKey: set.Sign.AccessKey,
		acl: acl, sizeLimit: set.Sign.MaxBytes, params: params,
	}
}

// page returns the requests as the page will make them.
func (e *run) page() uploader { return e.uploader(probe{e.style(), e.version()}) }

// browserAddress returns request.endpoint and objectProperties.host without the port that browsers leave out.
func browserAddress(set config.Config) (endpoint, host string) {
	endpoint, host = set.Sign.BucketURL()
	usual := map[string]string{"http": ":80", "https": ":443"}[set.Sign.Endpoint.Scheme]
	bare, cut := strings.CutSuffix(host, usual)
	if !cut {
		return endpoint, host
	}
	return strings.Replace(endpoint, host, bare, 1), bare
}

// origins are the pages that upload: the server's own and those that the settings allow.
func (e *run) origins() []string {
	if len(e.cfg.Origins) > 0 {
		return e.cfg.Origins
	}
	return append([]string{ownOrigin(e.set)}, e.set.AllowedOrigins...)
}

// ownOrigin is the page's on this machine. A port yet to be found is taken for 5000.
func ownOrigin(set config.Config) string {
	u := url.URL{Scheme: "http", Host: set.Host}
	if set.HTTPS {
		u.Scheme = "https"
	}
	if ip, err := netip.ParseAddr(set.Host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		u.Host = "localhost"
	}
	port := set.Port
	switch {
	case port == "0":
		port = "5000"
	case u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443":
		return u.String()
	}
	u.Host = net.JoinHostPort(u.Host, port)
	return u.String()
}
