package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"s3-sign-srv/internal/hooks"
)

// TestRenewCertificate replaces the files of the certificate. The server notices by itself, and closes no connection.
func TestRenewCertificate(t *testing.T) {
	certFile, keyFile := selfSigned(t)
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.renew(); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", c.config())
	if err != nil {
		t.Fatal(err)
	}
	web := newServer(http.NotFoundHandler())
	go web.Serve(l)
	defer web.Close()
	newClient := func() *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	}
	first := newClient()
	serial := func(client *http.Client) string {
		res, err := client.Get("https://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		return fmt.Sprintf("%x", res.TLS.PeerCertificates[0].Raw[len(res.TLS.PeerCertificates[0].Raw)-16:])
	}
	before := serial(first)

	var log lockedBuffer
	r := &reloader{certificate: c, log: slog.New(slog.NewTextHandler(&log, nil))}
	tick := func() { // returns when the tick was handled
		ctx, cancel := context.WithCancelCause(t.Context())
		ticks, ended := make(chan time.Time), make(chan struct{})
		go func() { r.run(ctx, cancel, nil, ticks); close(ended) }()
		ticks <- time.Now()
		cancel(nil)
		<-ended
	}
	otherCert, otherKey := selfSigned(t)
	for _, step := range []struct {
		name, from, to string
		changed        bool
		log            string // a part of the only line; empty: none
	}{
		{"only the certificate was written so far", otherCert, certFile, false,
			"level=ERROR msg=\"certificate not renewed\" error=\"P3S3F_SRV_CRT and P3S3F_SRV_KEY are "},
		{"then the key", otherKey, keyFile, true, `level=INFO msg="certificate renewed" expiry=`},
	} {
		text, err := os.ReadFile(step.from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(step.to, text, 0o600); err != nil {
			t.Fatal(err)
		}
		tick()
		lines := log.drain()
		if strings.Count(lines, "\n") != 1 || !strings.Contains(lines, step.log) {
			t.Errorf("%s: the log is %q", step.name, lines)
		}
		if after := serial(newClient()); (after != before) != step.changed {
			t.Errorf("%s: the certificate has changed: %v", step.name, after != before)
		}
	}
	if serial(first) != before {
		t.Error("the connection of before was closed")
	}
}

// lockedBuffer keeps text that several goroutines write.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// drain returns the text since the last call.
func (b *lockedBuffer) drain() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

// TestReload changes the env file of a running server and sends it SIGHUP.
func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p3s3f.env")
	write := func(lines string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const first, second = "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7SECONDS"
	keys := func(name, access, secret string) string {
		return fmt.Sprintf("export AWS_CLIENT_%sACCESS_KEY=%s\nexport AWS_CLIENT_%[1]sSECRET_KEY=%[3]s\n",
			name, access, secret)
	}
	write(keys("", first, "s3cret/of/the/first"))
	var log lockedBuffer
	p := startWith(t, []string{"-env", file}, environ{"AWS_CLIENT_ACCESS_KEY": "", "AWS_CLIENT_SECRET_KEY": ""},
		hooks.New, &log)
	earlier, earlierOwner := p.owner(t, nil)
	cookie, owner := earlier, earlierOwner

	reload := func(lines, logged string) {
		t.Helper()
		write(lines)
		log.drain()
		syscall.Kill(os.Getpid(), syscall.SIGHUP)
		text := ""
		for deadline := time.Now().Add(10 * time.Second); !strings.Contains(text, logged); {
			if text += log.drain(); time.Now().After(deadline) {
				t.Fatalf("the log has no %q: %s", logged, text)
			}
			time.Sleep(time.Millisecond)
		}
	}
	status := func(header string) int {
		t.Helper()
		body := fmt.Sprintf(`{"headers":"PUT\n\n\n\nx-amz-date:%s\n/mybucket/%s/k?partNumber=1&uploadId=U"}`,
			time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), owner)
		r, err := http.NewRequest("POST", p.url+"/s3/sign", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Access-Key", header)
		r.AddCookie(cookie)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	both := keys("", second, "s3cret/of/the/second") + keys("OLD_", first, "s3cret/of/the/first")
	for _, step := range []struct {
		name, lines, logged string
		first, second       int  // the statuses for pages that were opened with the two keys
		cookie              bool // one that was signed with the first secret key is valid
	}{
		{"a wrong file", keys("", second, ""),
			`level=ERROR msg="settings not reloaded" error="AWS_CLIENT_SECRET_KEY is not set`, 200, 403, true},
		{"two pairs", both, `msg="settings reloaded" access_key=` + second + " old_access_key=" + first, 200, 200, true},
		{"a setting that needs a restart", both + "export AWS_REGION=eu-west-1\nexport P3S3F_RATE=7\n",
			`level=WARN msg="changed settings need a restart" settings=AWS_REGION,P3S3F_RATE`, 200, 200, true},
		{"the second pair alone", keys("", second, "s3cret/of/the/second"), `msg="settings reloaded" access_key=` + second,
			403, 200, false},
	} {
		reload(step.lines, step.logged)
		cookie, owner = p.owner(t, earlier)
		if isValid := owner == earlierOwner; isValid != step.cookie {
			t.Errorf("%s: the cookie of the first secret key is valid: %v", step.name, isValid)
		}
		if a, b := status(first), status(second); a != step.first || b != step.second {
			t.Errorf("%s: %d for the first key, %d for the second, want %d and %d", step.name, a, b, step.first, step.second)
		}
	}
	if strings.Contains(log.drain(), "s3cret") {
		t.Error("the log has a secret")
	}
}

// owner returns the owner of a browser with that cookie, and its new cookie.
func (p testServer) owner(t *testing.T, cookie *http.Cookie) (*http.Cookie, string) {
	t.Helper()
	r, err := http.NewRequest("GET", p.url+"/s3/owner", nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookie != nil {
		r.AddCookie(cookie)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if len(res.Cookies()) != 1 {
		t.Fatalf("cookies: %v", res.Cookies())
	}
	owner, _, _ := strings.Cut(res.Cookies()[0].Value, ".")
	return res.Cookies()[0], owner
}
