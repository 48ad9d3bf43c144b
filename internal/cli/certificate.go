package cli

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"s3-sign-srv/internal/config"
)

// certificate is the certificate of P3S3F_SRV_CRT and P3S3F_SRV_KEY, which renew reads again.
type certificate struct {
	certFile, keyFile string
	certPEM, keyPEM   []byte // as last read, usable or not
	current           atomic.Pointer[tls.Certificate]
}

// loadCertificate returns nil without HTTPS. The error names each file that cannot be read.
func loadCertificate(cfg config.Config) (*certificate, error) {
	if !cfg.HTTPS || cfg.CertFile == "" || cfg.KeyFile == "" { // config.Load reports a missing name
		return nil, nil
	}
	c := &certificate{certFile: cfg.CertFile, keyFile: cfg.KeyFile}
	if _, err := c.renew(); err != nil {
		return nil, err
	}
	return c, nil
}

// renew reads the files, and reports whether they have changed. After an error the server keeps its certificate: as a
// rule one file is written before the other. It is called by one goroutine at a time.
func (c *certificate) renew() (changed bool, err error) {
	certPEM, certErr := readPEM("P3S3F_SRV_CRT", c.certFile)
	keyPEM, keyErr := readPEM("P3S3F_SRV_KEY", c.keyFile)
	if err := errors.Join(certErr, keyErr); err != nil {
		return false, err
	}
	if bytes.Equal(certPEM, c.certPEM) && bytes.Equal(keyPEM, c.keyPEM) {
		return false, nil
	}
	c.certPEM, c.keyPEM = certPEM, keyPEM
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		const text = "P3S3F_SRV_CRT and P3S3F_SRV_KEY are %s and %s, which are not a certificate and its own key without a " +
			"passphrase (%s); set them to such a pair of PEM files (openssl pkey -in OLD -out NEW removes a passphrase)"
		return false, fmt.Errorf(text, c.certFile, c.keyFile, strings.TrimPrefix(err.Error(), "tls: "))
	}
	c.current.Store(&pair)
	return true, nil
}

// config returns the settings of a listener. Open connections keep the certificate that they began with.
func (c *certificate) config() *tls.Config {
	get := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }
	return &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12}
}

// expiry returns the end of the certificate.
func (c *certificate) expiry() time.Time { return c.current.Load().Leaf.NotAfter }

func readPEM(setting, file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		const text = "%s is %s, which cannot be read (%w); set it to a PEM file that the server may read"
		return nil, fmt.Errorf(text, setting, file, errors.Unwrap(err))
	}
	return text, nil
}
