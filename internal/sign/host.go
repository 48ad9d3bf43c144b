package sign

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// hostForm says how a host that a client names appears in the request that is sent.
type hostForm struct {
	host       string // the Host header
	pathPrefix string // "/bucket" on a path-style endpoint, which Fine Uploader omits; else empty
}

// hostForms maps every value of a V4 host line that means our bucket to the form to sign. Fine Uploader derives the
// line from request.endpoint with a greedy pattern: it keeps the path of a path-style endpoint, a default port, and the
// scheme that a user has put into objectProperties.host.
func hostForms(cfg Config) map[string]hostForm {
	forms := make(map[string]hostForm)
	for _, host := range cfg.hosts() {
		if (cfg.VirtualHosted || cfg.IsAWS()) && !cfg.IsAddress() {
			cfg.addForms(forms, cfg.Bucket+"."+host, "", hostForm{host: cfg.Bucket + "." + host})
		}
		cfg.addForms(forms, host, "", hostForm{host, "/" + cfg.Bucket})
		cfg.addForms(forms, host, "/"+cfg.Bucket, hostForm{host, "/" + cfg.Bucket})
	}
	return forms
}

// addForms adds host and path with and without a scheme, and with the scheme's own port if the endpoint has no other.
func (c Config) addForms(forms map[string]hostForm, host, path string, form hostForm) {
	for _, scheme := range []string{"", "http://", "https://"} {
		forms[scheme+host+path] = form
		if c.Endpoint.Port() == "" {
			forms[scheme+host+map[string]string{"http": ":80", "https": ":443"}[c.Endpoint.Scheme]+path] = form
		}
	}
}

// hosts returns the hosts that serve the endpoint: its own, and for AWS also the regional, dashed, dual-stack and
// global ones (AWS "Amazon S3 endpoints and quotas").
func (c Config) hosts() []string {
	regional := c.RegionalHost(c.Region)
	switch {
	case regional == "":
		return []string{c.Endpoint.Host}
	case strings.HasSuffix(regional, ".cn"):
		return []string{c.Endpoint.Host, regional}
	}
	return []string{
		c.Endpoint.Host, regional, "s3.amazonaws.com",
		"s3-" + c.Region + ".amazonaws.com", "s3.dualstack." + c.Region + ".amazonaws.com",
	}
}

// IsAWS reports whether the endpoint is one of AWS, which supports both addressing styles.
func (c Config) IsAWS() bool { return c.RegionalHost(c.Region) != "" }

// RegionalHost returns AWS's host for a region; it is empty if the endpoint is not AWS's.
func (c Config) RegionalHost(region string) string {
	domain := c.AWSDomain()
	if domain == "" || !strings.HasPrefix(c.Endpoint.Hostname(), "s3") {
		return ""
	}
	return "s3." + region + domain
}

// AWSDomain returns the domain of AWS that the endpoint is in, which may be a private link; it is empty for another
// store.
func (c Config) AWSDomain() string {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn"} {
		if strings.HasSuffix(c.Endpoint.Hostname(), domain) {
			return domain
		}
	}
	return ""
}

// IsAddress reports whether the endpoint is an IP address, which cannot be virtual-hosted.
func (c Config) IsAddress() bool {
	_, err := netip.ParseAddr(c.Endpoint.Hostname())
	return err == nil
}

// BucketURL returns the address of the bucket for browsers, which is Fine Uploader's request.endpoint, and the host
// that they send with it.
func (c Config) BucketURL() (url, host string) {
	e := c.Endpoint
	if c.VirtualHosted {
		return e.Scheme + "://" + c.Bucket + "." + e.Host, c.Bucket + "." + e.Host
	}
	return e.Scheme + "://" + e.Host + "/" + c.Bucket, e.Host
}

// findHost returns the form of a client's host line.
func (s *Signer) findHost(line string) (hostForm, error) {
	if form, ok := s.hosts[line]; ok {
		return form, nil
	}
	bucketURL, _ := s.cfg.BucketURL()
	bare := strings.TrimPrefix(strings.TrimPrefix(line, "http://"), "https://")
	if trimmed := strings.TrimRight(line, "/"); s.hosts[trimmed] != (hostForm{}) {
		return hostForm{}, configError("request.endpoint ends with a slash, so the browser requests //key from S3; "+
			"remove the trailing slash from request.endpoint in client_conf.js.", line, trimmed)
	}
	if !s.cfg.VirtualHosted && bare == s.cfg.Bucket+"."+s.cfg.Endpoint.Host {
		return hostForm{}, configError(fmt.Sprintf("This server signs for path-style addresses; set request.endpoint in "+
			"client_conf.js to %q, or P3S3F_ADDRESSING=virtual in the server's settings if the store really takes the "+
			"bucket from the host name.", bucketURL), line, s.cfg.Endpoint.Host)
	}
	return hostForm{}, configError(fmt.Sprintf("The upload goes to a host that is not this server's S3 endpoint; "+
		"set request.endpoint in client_conf.js to %q, or AWS_ENDPOINT in the server's settings.", bucketURL),
		line, bucketURL)
}

// CheckBucket rejects every bucket except the configured one. It recognizes the host name that Fine Uploader uses as
// the bucket if objectProperties.bucket is not set and the endpoint has none of AWS's old forms.
func (s *Signer) CheckBucket(bucket string) error {
	name := s.cfg.Endpoint.Hostname()
	switch bucket {
	case s.cfg.Bucket:
		return nil
	case name, s.cfg.Bucket + "." + name:
		return configError(fmt.Sprintf("Fine Uploader used the host name as the bucket; "+
			"set objectProperties.bucket to %q in client_conf.js.", s.cfg.Bucket), bucket, s.cfg.Bucket)
	}
	return configError(fmt.Sprintf("This server signs for the bucket %q only; set objectProperties.bucket in "+
		"client_conf.js, or AWS_DEST_BUCKET in the server's settings.", s.cfg.Bucket), bucket, s.cfg.Bucket)
}

// checkRegion rejects every region except ours.
func (s *Signer) checkRegion(region string) error {
	if region == s.cfg.Region {
		return nil
	}
	return configError(fmt.Sprintf("This server signs for the region %q; set objectProperties.region to it in "+
		"client_conf.js, or AWS_REGION in the server's settings.", s.cfg.Region), region, s.cfg.Region)
}

// Origins returns the origins (scheme://host[:port]) at which browsers may address the bucket, in both styles
// regardless of what is signed: a V2 string and a policy are valid for either.
func (s *Signer) Origins() []string {
	var origins []string
	for _, host := range s.cfg.hosts() {
		origins = append(origins, s.cfg.Endpoint.Scheme+"://"+host)
		if !s.cfg.IsAddress() {
			origins = append(origins, s.cfg.Endpoint.Scheme+"://"+s.cfg.Bucket+"."+host)
		}
	}
	slices.Sort(origins)
	return slices.Compact(origins)
}
