package main

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"s3-sign-srv/internal/config"
)

// loadCertificate returns nil without HTTPS. The error says of each file what is wrong with it.
func loadCertificate(cfg config.Config) (*tls.Config, error) {
	if !cfg.HTTPS || cfg.CertFile == "" || cfg.KeyFile == "" { // config.Load reports a missing name
		return nil, nil
	}
	certificate, certErr := readPEM("P3S3F_SRV_CRT", cfg.CertFile, "CERTIFICATE")
	key, keyErr := readPEM("P3S3F_SRV_KEY", cfg.KeyFile, "PRIVATE KEY")
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		const text = "P3S3F_SRV_CRT and P3S3F_SRV_KEY are not a certificate and its own key; set them to a pair (%s)"
		return nil, fmt.Errorf(text, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// readPEM returns the content of the file that a setting names, which must have a PEM block of this kind.
func readPEM(setting, file, kind string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		const text = "%s is %s, which cannot be read (%w); set it to a PEM file that the server may read"
		return nil, fmt.Errorf(text, setting, file, errors.Unwrap(err))
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		// PKCS #8, and OpenSSL's old form.
		encrypted := strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != ""
		switch {
		case strings.HasSuffix(block.Type, kind) && encrypted:
			const text = "%s is %s, which a passphrase protects; " +
				"set it to the key without one, as openssl pkey -in OLD -out NEW writes it"
			return nil, fmt.Errorf(text, setting, file)
		case strings.HasSuffix(block.Type, kind):
			return text, nil
		}
	}
	const wrong = "%s is %s, which has no PEM block %q; set it to the file that has one, not to the other one of the pair"
	return nil, fmt.Errorf(wrong, setting, file, kind)
}
