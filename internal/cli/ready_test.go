package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/config"
)

// TestReadyUntilStopped stops a server with a long P3S3F_SHUTDOWN_DELAY. It is not ready any more, but serves requests.
func TestReadyUntilStopped(t *testing.T) {
	p := start(t, environ{"P3S3F_SHUTDOWN_DELAY": "300"})
	get := func(path string) string {
		t.Helper()
		res, err := http.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.Status + " " + string(body)
	}
	if got := get("/readyz"); got != "200 OK ok\n" {
		t.Errorf("before the signal: %q", got)
	}
	go p.stop()
	for deadline := time.Now().Add(10 * time.Second); !strings.HasPrefix(get("/readyz"), "503 "); {
		if time.Now().After(deadline) {
			t.Fatal("after the signal, the server is still ready")
		}
	}
	if got := get("/readyz"); got != "503 Service Unavailable The server is shutting down.\n" {
		t.Errorf("after the signal: %q", got)
	}
	if got := get("/healthz"); got != "200 OK ok\n" {
		t.Errorf("healthy after the signal: %q", got)
	}
}

// TestReadyCertificate checks a server with a certificate that is valid, and one that has expired.
func TestReadyCertificate(t *testing.T) {
	for _, test := range []struct {
		name, want string
		end        time.Time
	}{
		{"valid", "", time.Now().Add(time.Hour)},
		{"expired", "The certificate in P3S3F_SRV_CRT expired on 2026-01-02; renew it.",
			time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)},
	} {
		dir := t.TempDir()
		if err := writeCertificateUntil(dir+"/crt", dir+"/key", test.end); err != nil {
			t.Fatal(err)
		}
		c, err := loadCertificate(config.Config{HTTPS: true, CertFile: dir + "/crt", KeyFile: dir + "/key"})
		if err != nil {
			t.Fatal(err)
		}
		l := &listener{certificate: c}
		text := ""
		if err := l.ready(t.Context(), nil)(t.Context()); err != nil {
			text = err.Error()
		}
		if text != test.want {
			t.Errorf("%s: %q", test.name, text)
		}
	}
}
