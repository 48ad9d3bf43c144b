package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// expirySoon is how long before its end a certificate is worth a warning.
const expirySoon = 14 * 24 * time.Hour

// checkSettings tells every fault, one line each.
func (e *exam) checkSettings(context.Context) []Result {
	if e.faults != nil {
		var results []Result
		for line := range strings.SplitSeq(e.faults.Error(), "\n") {
			text, fix := splitSentence(line)
			results = append(results, failed(text, fix)...)
		}
		return results
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
	return results
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

// checkHTTPS looks at the certificate files, and at whether browsers let the page reach the store.
func (e *exam) checkHTTPS(context.Context) []Result {
	switch {
	case !e.set.HTTPS:
		return skipped("P3S3F_USE_HTTPS is not 1")
	case e.set.CertFile == "" || e.set.KeyFile == "":
		return skipped("waits for: settings")
	}
	pair, err := tls.LoadX509KeyPair(e.set.CertFile, e.set.KeyFile)
	if err != nil {
		return failed("P3S3F_SRV_CRT and P3S3F_SRV_KEY cannot be used: "+oneLine(err.Error()),
			"Set P3S3F_SRV_CRT to a PEM certificate and P3S3F_SRV_KEY to the key it was made with, both readable for the server.")
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return failed("P3S3F_SRV_CRT cannot be read: "+oneLine(err.Error()), "Set P3S3F_SRV_CRT to a PEM certificate.")
	}
	if results := certificateTimes(leaf, e.cfg.Now()); results != nil {
		return results
	}
	if s := e.set.Sign.Endpoint; s != nil && s.Scheme == "http" && !isLoopback(s.Hostname()) {
		return failed("browsers do not let a page that came by https send to "+s.String(), "Set AWS_ENDPOINT to an https address of the store, or P3S3F_USE_HTTPS=0.")
	}
	return ok("certificate and key match, until %s", leaf.NotAfter.Format(time.DateOnly))
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
