package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// expirySoon is how long before its end a certificate is worth a warning.
const expirySoon = 14 * 24 * time.Hour

// checkSettings tells every fault, one line each.
func (e *run) checkSettings(context.Context) []Result {
	if e.faults != nil {
		return toldFaults(e.faults)
	}
	results := ok("bucket %s at %s, region %s, %s style, signature version %d",
		e.set.Sign.Bucket, e.set.Sign.Endpoint, e.set.Sign.Region, style(e.set.Sign.VirtualHosted), e.set.SignatureVersion)
	for _, w := range e.set.Warnings {
		name, _, _ := strings.Cut(w, " ")
		fix := "Take " + name + " out of the environment."
		if strings.HasPrefix(w, name+" is not 1") {
			fix = "Set " + name + "=1."
		}
		results = append(results, warning(w, fix)...)
	}
	return append(results, e.checkExample()...)
}

// toldFaults makes a result of each line of an error.
func toldFaults(err error) (results []Result) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		text, fix := splitSentence(line)
		results = append(results, failed(text, fix)...)
	}
	return results
}

// checkExample tells of the shipped hook's exercise, which is easily forgotten.
func (e *run) checkExample() []Result {
	const small, large = "P3S3F_EXAMPLE_ALLOW_SMALL", "P3S3F_EXAMPLE_ALLOW_LARGE"
	if e.cfg.Getenv(small) == "" {
		return nil
	}
	return warning(small+" is set, so that the shipped hook lets no file pass but this one and "+large+"'s", "Take both out of the environment once you have seen it work.")
}

// splitSentence parts "fact; what to do" as the settings' faults and sign's refusals are written. A fact may
// quote a value with a semicolon in it.
func splitSentence(sentence string) (text, fix string) {
	i := strings.LastIndex(sentence, "; ")
	if i < 0 {
		return sentence, ""
	}
	text, fix = sentence[:i], sentence[i+2:]
	return text, strings.ToUpper(fix[:1]) + strings.TrimSuffix(fix[1:], ".") + "."
}

// checkHTTPS looks at the certificate files.
func (e *run) checkHTTPS(context.Context) []Result {
	switch {
	case !e.set.HTTPS:
		return skipped("P3S3F_USE_HTTPS is not 1")
	case e.set.CertFile == "" || e.set.KeyFile == "":
		return blockedBy("settings")
	}
	config, err := e.cfg.Certificate(e.set)
	if err != nil {
		return toldFaults(err)
	}
	pair := config.Certificates[0]
	if results := certificateTimes(pair.Leaf, e.cfg.Now()); results != nil {
		return results
	}
	if results := e.certificateTrust(pair); results != nil {
		return results
	}
	return ok("certificate and key match, until %s", pair.Leaf.NotAfter.Format(time.DateOnly))
}

// certificateTrust looks at a certificate as a browser does, nil if nothing is wrong with it. Behind a proxy
// that knows better, all is well, so that it only warns.
func (e *run) certificateTrust(pair tls.Certificate) []Result {
	behind := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			behind.AddCert(c)
		}
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Intermediates: behind, CurrentTime: e.cfg.Now()}); err != nil {
		why := fmt.Sprintf("this computer does not know its issuer %q", pair.Leaf.Issuer)
		if bytes.Equal(pair.Leaf.RawIssuer, pair.Leaf.RawSubject) {
			why = "it is signed by itself alone"
		}
		return warning("browsers may not trust the certificate in P3S3F_SRV_CRT: "+why,
			"Put the issuers' certificates behind it in the file; what has no public issuer must be made known to every browser.")
	}
	for _, host := range e.servedHosts() {
		if pair.Leaf.VerifyHostname(host) != nil {
			return warning(fmt.Sprintf("the certificate in P3S3F_SRV_CRT is not for %s, as the page would be reached", host), "Open the page by a name that the certificate has, and tell doctor by -origin https://NAME; or take a certificate for "+host+".")
		}
	}
	return nil
}

// servedHosts are those of this server's page, as far as they are known.
func (e *run) servedHosts() (hosts []string) {
	pages := e.cfg.Origins
	if ip, err := netip.ParseAddr(e.set.Host); len(pages) == 0 && (err != nil || !ip.IsUnspecified()) {
		pages = []string{ownOrigin(e.set)}
	}
	for _, page := range pages {
		if u, err := url.Parse(page); err == nil && u.Scheme == "https" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// checkBrowsers asks whether browsers, wherever they are, let the page send to the store.
func (e *run) checkBrowsers(context.Context) []Result {
	store := e.set.Sign.Endpoint
	near := isLoopback(store.Hostname())
	own, err := netip.ParseAddr(e.set.Host)
	far := err == nil && !own.IsLoopback() || err != nil && !isLoopback(e.set.Host)
	for _, origin := range e.origins() {
		page, err := url.Parse(origin)
		if err != nil {
			continue
		}
		if page.Scheme == "https" && store.Scheme == "http" && !near {
			return failed(fmt.Sprintf("browsers do not let the page of %s, which came by https, send to %s", origin, store), "Set AWS_ENDPOINT to an https address of the store, or serve the page by http.")
		}
		far = far || !isLoopback(page.Hostname())
	}
	if near && far {
		return warning(fmt.Sprintf("browsers on other computers look for %s on themselves", store), "Set AWS_ENDPOINT to an address of the store that they reach.")
	}
	return ok("they may send from %s to %s", strings.Join(e.origins(), ", "), store)
}

// certificateTimes returns nil for a certificate that holds now and for a while.
func certificateTimes(leaf *x509.Certificate, now time.Time) []Result {
	until := leaf.NotAfter.Format(time.DateOnly)
	switch {
	case now.After(leaf.NotAfter):
		return failed("the certificate in P3S3F_SRV_CRT expired on "+until, "Renew the certificate and start the server again.")
	case now.Before(leaf.NotBefore):
		return failed("the certificate in P3S3F_SRV_CRT is not valid before "+leaf.NotBefore.Format(time.DateOnly), "Set this computer's clock right, or take a certificate that is valid now.")
	case leaf.NotAfter.Sub(now) < expirySoon:
		return warning(fmt.Sprintf("the certificate in P3S3F_SRV_CRT expires on %s", until), "Renew the certificate and start the server again.")
	}
	return nil
}

// isLoopback reports whether browsers trust host without TLS (W3C "Secure Contexts", 3.1).
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
