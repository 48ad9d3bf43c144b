package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// checkSettings reports every invalid setting.
func (r *run) checkSettings(context.Context) (results []Result) {
	if r.setErr != nil {
		for line := range strings.SplitSeq(r.setErr.Error(), "\n") {
			results = append(results, failed(splitSentence(line))...)
		}
		return results
	}
	results = ok("bucket %s at %s, region %s, %s style, signature version %d", r.set.Sign.Bucket, r.set.Sign.Endpoint,
		r.set.Sign.Region, style(r.set.Sign.VirtualHosted), r.set.SignatureVersion)
	for _, w := range slices.Concat(r.set.Warnings, r.cfg.Warnings) {
		results = append(results, warning(splitSentence(w))...)
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

// checkBrowsers checks whether browsers can reach the store and let the page send to it.
func (r *run) checkBrowsers(context.Context) []Result {
	store := r.set.Sign.Endpoint
	storeIsLocal := isLoopback(store.Hostname())
	serverIsRemote, isMixedAnywhere := !isLoopback(r.set.Host), false
	for _, origin := range r.origins() {
		page, err := url.Parse(origin)
		if err != nil {
			continue
		}
		isMixed := page.Scheme == "https" && store.Scheme == "http"
		if isMixed && !storeIsLocal {
			return failed(fmt.Sprintf("browsers do not let the https page of %s send to %s", origin, store),
				"Set AWS_ENDPOINT to an https address of the store, or serve the page over http.")
		}
		serverIsRemote = serverIsRemote || !isLoopback(page.Hostname())
		isMixedAnywhere = isMixedAnywhere || isMixed
	}
	if storeIsLocal && serverIsRemote {
		return warning(fmt.Sprintf("browsers on other computers look for %s on their own computer", store),
			"Set AWS_ENDPOINT to an address of the store that they can reach.")
	}
	if isMixedAnywhere {
		return warning(fmt.Sprintf("Safari does not let https pages send to %s", store),
			"For Safari, set AWS_ENDPOINT to an https address of the store, or serve the page over http.")
	}
	return ok("pages of %s may send to %s", strings.Join(r.origins(), ", "), store)
}

// isLoopback reports whether browsers trust host without TLS (W3C "Secure Contexts", 3.1).
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// hasCephWorkaround reports whether Fine Uploader was built with CEPH=1 (bundle/build.mjs).
func (r *run) hasCephWorkaround() bool {
	script, err := fs.ReadFile(r.cfg.Files, "static/s3.fine-uploader.min.js")
	return err == nil && strings.Contains(string(script), `.type || "application/octet-stream"`)
}
