package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"

	"s3-sign-srv/internal/config"
)

// loadCertificate returns nil without HTTPS. The error names each file that cannot be read.
func loadCertificate(cfg config.Config) (*tls.Config, error) {
	if !cfg.HTTPS || cfg.CertFile == "" || cfg.KeyFile == "" { // config.Load reports a missing name
		return nil, nil
	}
	certificate, certErr := readPEM("P3S3F_SRV_CRT", cfg.CertFile)
	key, keyErr := readPEM("P3S3F_SRV_KEY", cfg.KeyFile)
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		const text = "P3S3F_SRV_CRT and P3S3F_SRV_KEY are %s and %s, which are not a certificate and its own key without a " +
			"passphrase (%s); set them to such a pair of PEM files (openssl pkey -in OLD -out NEW removes a passphrase)"
		return nil, fmt.Errorf(text, cfg.CertFile, cfg.KeyFile, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func readPEM(setting, file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		const text = "%s is %s, which cannot be read (%w); set it to a PEM file that the server may read"
		return nil, fmt.Errorf(text, setting, file, errors.Unwrap(err))
	}
	return text, nil
}
