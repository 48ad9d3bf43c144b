package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// checkSettings reports every invalid setting.
func (r *run) checkSettings(context.Context) []Result {
	if r.setErr != nil {
		return resultsOf(r.setErr)
	}
	results := ok("bucket %s at %s, region %s, %s style, signature version %d", r.set.Sign.Bucket, r.set.Sign.Endpoint,
		r.set.Sign.Region, style(r.set.Sign.VirtualHosted), r.set.SignatureVersion)
	for _, w := range r.set.Warnings {
		name, _, _ := strings.Cut(w, " ")
		fix := "Remove " + name + " from the environment."
		if strings.HasPrefix(w, name+" is not 1") {
			fix = "Set " + name + "=1."
		}
		results = append(results, warning(w, fix)...)
	}
	const small, large = "P3S3F_EXAMPLE_ALLOW_SMALL", "P3S3F_EXAMPLE_ALLOW_LARGE"
	if r.cfg.Getenv(small) != "" {
		results = append(results, warning(small+" is set, so the shipped hook accepts only its file and that of "+large,
			"Remove both from the environment when you have tried them.")...)
	}
	return results
}

// resultsOf returns a result for each line of an error.
func resultsOf(err error) (results []Result) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		results = append(results, failed(splitSentence(line))...)
	}
	return results
}

// splitSentence splits a message of the form "what is wrong; what to do". The first half may quote a value with a
// semicolon in it.
func splitSentence(sentence string) (text, fix string) {
	i := strings.LastIndex(sentence, "; ")
	if i < 0 {
		return sentence, ""
	}
	text, fix = sentence[:i], sentence[i+2:]
	return text, strings.ToUpper(fix[:1]) + strings.TrimSuffix(fix[1:], ".") + "."
}

// checkServer builds the server, which runs the hooks' New.
func (r *run) checkServer(context.Context) []Result {
	if r.cfg.Start == nil {
		return skipped("not checked")
	}
	if err := r.cfg.Start(r.set); err != nil {
		text, fix := splitSentence(oneLine(err.Error()))
		return failed("the server does not start: "+text, orElse(fix, "Correct what the message says."))
	}
	return ok("the server starts")
}

// checkHTTPS checks the certificate and its key. That browsers may reject the certificate is only a warning, because a
// proxy in front of the server may hide it.
func (r *run) checkHTTPS(context.Context) []Result {
	switch {
	case !r.set.HTTPS:
		return skipped("P3S3F_USE_HTTPS is not 1")
	case r.set.CertFile == "" || r.set.KeyFile == "":
		return blockedBy("settings")
	}
	loaded, err := r.cfg.Certificate(r.set)
	if err != nil {
		return resultsOf(err)
	}
	pair := loaded.Certificates[0]
	options := x509.VerifyOptions{Intermediates: x509.NewCertPool(), CurrentTime: r.cfg.Now(), DNSName: r.pageHost()}
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			options.Intermediates.AddCert(c)
		}
	}
	_, err = pair.Leaf.Verify(options)
	switch invalid := (x509.CertificateInvalidError{}); {
	case errors.As(err, &invalid):
		return failed(fmt.Sprintf("the certificate in P3S3F_SRV_CRT: %v", err),
			"Renew the certificate and restart the server, or set this computer's clock right if it is wrong.")
	case err != nil:
		return warning(fmt.Sprintf("browsers may reject the certificate in P3S3F_SRV_CRT: %v", err),
			"Get a certificate for the host of the page, append the intermediate certificates to the file, and "+
				"install a private issuer in every browser; give doctor the page's address with -origin.")
	}
	return ok("certificate and key match, until %s", pair.Leaf.NotAfter.Format(time.DateOnly))
}

// pageHost returns the host of the server's own page, or an empty name, which every certificate matches.
func (r *run) pageHost() string {
	page := r.set.Origin()
	if ip, err := netip.ParseAddr(r.set.Host); err == nil && ip.IsUnspecified() {
		page = ""
	}
	if len(r.cfg.Origins) > 0 {
		page = r.cfg.Origins[0]
	}
	if u, err := url.Parse(page); err == nil && u.Scheme == "https" {
		return u.Hostname()
	}
	return ""
}

// checkBrowsers checks whether browsers can reach the store and let the page send to it.
func (r *run) checkBrowsers(context.Context) []Result {
	store := r.set.Sign.Endpoint
	storeIsLocal := isLoopback(store.Hostname())
	serverIsRemote := !isLoopback(r.set.Host)
	for _, origin := range r.origins() {
		page, err := url.Parse(origin)
		if err != nil {
			continue
		}
		if page.Scheme == "https" && store.Scheme == "http" && !storeIsLocal {
			return failed(fmt.Sprintf("browsers do not let the https page of %s send to %s", origin, store),
				"Set AWS_ENDPOINT to an https address of the store, or serve the page over http.")
		}
		serverIsRemote = serverIsRemote || !isLoopback(page.Hostname())
	}
	if storeIsLocal && serverIsRemote {
		return warning(fmt.Sprintf("browsers on other computers look for %s on their own computer", store),
			"Set AWS_ENDPOINT to an address of the store that they can reach.")
	}
	return ok("pages of %s may send to %s", strings.Join(r.origins(), ", "), store)
}

// isLoopback reports whether browsers trust host without TLS (W3C "Secure Contexts", 3.1).
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// bundleVersion is the version of Fine Uploader that this server was tested with.
const bundleVersion = "5.16.2"

const bundleFile = "static/s3.fine-uploader.min.js"

// hasWorkAround reports whether the bundle was built with CEPH=1 (bundle/build.mjs).
func (r *run) hasWorkAround() bool {
	script, err := fs.ReadFile(r.cfg.Files, bundleFile)
	return err == nil && strings.Contains(string(script), `.type || "application/octet-stream"`)
}

// checkBundle reads the version in Fine Uploader's first line.
func (r *run) checkBundle(context.Context) []Result {
	if !r.set.ServePage {
		return skipped("P3S3F_SERVE_PAGE is 0: the server is an API only")
	}
	script, err := fs.ReadFile(r.cfg.Files, bundleFile)
	firstLine, _, _ := strings.Cut(string(script), "\n")
	switch {
	case err != nil:
		return failed(bundleFile+" does not exist", "Run make static.")
	case !strings.Contains(firstLine, "Fine Uploader "+bundleVersion+" "):
		return failed(fmt.Sprintf("%s is not Fine Uploader %s, which this server was tested with: %.60q",
			bundleFile, bundleVersion, firstLine), "Run make static.")
	case r.hasWorkAround():
		return ok("Fine Uploader %s, with the workaround for old Ceph", bundleVersion)
	}
	return ok("Fine Uploader %s", bundleVersion)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
