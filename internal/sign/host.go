package sign

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"s3-sign-srv/internal/apierror"
)

// hostForm says how a host that a client may name appears in the request that is really sent.
type hostForm struct {
	host       string // the Host header
	pathPrefix string // "/bucket" on a path-style endpoint, which Fine Uploader leaves out; else empty
}

// hostForms lists every value of a V4 host line that means our bucket, each with the form to sign.
// Fine Uploader takes the line from request.endpoint by a greedy pattern: it keeps the path of a
// path-style endpoint, a default port, and the scheme that a user put into objectProperties.host.
func hostForms(cfg Config) map[string]hostForm {
	forms := make(map[string]hostForm)
	for _, host := range cfg.hosts() {
		bare, port := splitDefaultPort(cfg.Endpoint.Scheme, host)
		if (cfg.VirtualHosted || cfg.IsAWS()) && !cfg.IsAddress() {
			addForms(forms, cfg.Bucket+"."+bare, port, "", hostForm{host: cfg.Bucket + "." + bare})
		}
		addForms(forms, bare, port, "", hostForm{bare, "/" + cfg.Bucket})
		addForms(forms, bare, port, "/"+cfg.Bucket, hostForm{bare, "/" + cfg.Bucket})
	}
	return forms
}

func addForms(forms map[string]hostForm, host, defaultPort, path string, form hostForm) {
	for _, scheme := range []string{"", "http://", "https://"} {
		forms[scheme+host+path] = form
		if defaultPort != "" {
			forms[scheme+host+defaultPort+path] = form
		}
	}
}

// splitDefaultPort takes the port off host where a browser would not send it, and returns the port
// that a client may nevertheless write; a host with another port comes back whole.
func splitDefaultPort(scheme, host string) (bare, defaultPort string) {
	defaultPort = map[string]string{"http": ":80", "https": ":443"}[scheme]
	bare = strings.TrimSuffix(host, defaultPort)
	if strings.LastIndexByte(bare, ':') > strings.LastIndexByte(bare, ']') {
		return host, ""
	}
	return bare, defaultPort
}

// hosts returns the hosts that serve the endpoint: its own, and for AWS the regional, dashed,
// dual-stack and global forms too (AWS "Amazon S3 endpoints and quotas").
func (c Config) hosts() []string {
	regional := c.RegionalHost(c.Region)
	switch {
	case regional == "":
		return []string{c.Endpoint.Host}
	case strings.HasSuffix(regional, ".cn"):
		return []string{c.Endpoint.Host, regional}
	}
	return []string{c.Endpoint.Host, regional, "s3.amazonaws.com", "s3-" + c.Region + ".amazonaws.com", "s3.dualstack." + c.Region + ".amazonaws.com"}
}

// IsAWS reports whether the endpoint is one of AWS's own, which know both styles of address.
func (c Config) IsAWS() bool { return c.RegionalHost(c.Region) != "" }

// RegionalHost is AWS's for a region, beside the configured one; it is empty where the endpoint is not AWS's.
func (c Config) RegionalHost(region string) string {
	domain := c.AWSDomain()
	if domain == "" || !strings.HasPrefix(c.Endpoint.Hostname(), "s3") {
		return ""
	}
	return "s3." + region + domain
}

// AWSDomain is the one of AWS's that the endpoint lies in, a private link among them, and empty for another store's.
func (c Config) AWSDomain() string {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn"} {
		if strings.HasSuffix(c.Endpoint.Hostname(), domain) {
			return domain
		}
	}
	return ""
}

// IsAddress reports whether the endpoint is an IP address, in front of which no bucket can stand.
func (c Config) IsAddress() bool {
	_, err := netip.ParseAddr(c.Endpoint.Hostname())
	return err == nil
}

// BucketURL is where browsers address the bucket, Fine Uploader's request.endpoint, and the host that they send there.
func (c Config) BucketURL() (url, host string) {
	e := c.Endpoint
	if c.VirtualHosted {
		return e.Scheme + "://" + c.Bucket + "." + e.Host, c.Bucket + "." + e.Host
	}
	return e.Scheme + "://" + e.Host + "/" + c.Bucket, e.Host
}

// findHost looks a client's host line up.
func (s *Signer) findHost(line string) (hostForm, *apierror.Error) {
	if form, ok := s.hosts[line]; ok {
		return form, nil
	}
	if _, ok := s.hosts[strings.TrimRight(line, "/")]; ok {
		return hostForm{}, configError("request.endpoint ends in a slash, so the browser asks S3 for //key; take the trailing slash off request.endpoint in client_conf.js.",
			line, strings.TrimRight(line, "/"))
	}
	ours, _ := s.cfg.BucketURL()
	bare := strings.TrimPrefix(strings.TrimPrefix(line, "http://"), "https://")
	if !s.cfg.VirtualHosted && bare == s.cfg.Bucket+"."+s.cfg.Endpoint.Host {
		return hostForm{}, configError(
			fmt.Sprintf("This server signs for path-style addresses; set request.endpoint in client_conf.js to %q, or P3S3F_ADDRESSING=virtual in the server's settings if the store really takes the bucket from the host name.", ours),
			line, s.cfg.Endpoint.Host)
	}
	return hostForm{}, configError(
		fmt.Sprintf("The upload goes to a host that is not this server's S3 endpoint; set request.endpoint in client_conf.js to %q, or AWS_ENDPOINT in the server's settings.", ours),
		line, ours)
}

// checkBucket refuses every bucket but ours, and recognises the host name that Fine Uploader takes for
// the bucket when objectProperties.bucket is not set and the endpoint is not of AWS's old forms.
func (s *Signer) checkBucket(bucket string) *apierror.Error {
	if bucket == s.cfg.Bucket {
		return nil
	}
	name := s.cfg.Endpoint.Hostname()
	if bucket == name || bucket == s.cfg.Bucket+"."+name {
		return configError(fmt.Sprintf("Fine Uploader took the host name for the bucket; set objectProperties.bucket to %q in client_conf.js.", s.cfg.Bucket), bucket, s.cfg.Bucket)
	}
	return configError(fmt.Sprintf("This server signs for the bucket %q alone; set objectProperties.bucket in client_conf.js, or AWS_DEST_BUCKET in the server's settings.", s.cfg.Bucket), bucket, s.cfg.Bucket)
}

// checkRegion refuses every region but ours.
func (s *Signer) checkRegion(region string) *apierror.Error {
	if region == s.cfg.Region {
		return nil
	}
	return configError(fmt.Sprintf("This server signs for the region %q; set objectProperties.region to it in client_conf.js, or AWS_REGION in the server's settings.", s.cfg.Region), region, s.cfg.Region)
}

// CheckBucket refuses every bucket but the configured one. The error is a *apierror.Error.
func (s *Signer) CheckBucket(bucket string) error {
	if err := s.checkBucket(bucket); err != nil {
		return err
	}
	return nil
}

// Origins returns the origins (scheme://host[:port]) where browsers may address the bucket, in both
// styles whatever is signed: a V2 string and a policy are good for either.
func (s *Signer) Origins() []string {
	var origins []string
	for _, host := range s.cfg.hosts() {
		bare, _ := splitDefaultPort(s.cfg.Endpoint.Scheme, host)
		origins = append(origins, s.cfg.Endpoint.Scheme+"://"+bare)
		if !s.cfg.IsAddress() {
			origins = append(origins, s.cfg.Endpoint.Scheme+"://"+s.cfg.Bucket+"."+bare)
		}
	}
	slices.Sort(origins)
	return slices.Compact(origins)
}
