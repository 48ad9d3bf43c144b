//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// nginxConf includes the shipped file, as Debian's /etc/nginx/nginx.conf would.
const nginxConf = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path       %[1]s/proxy;
    fastcgi_temp_path     %[1]s/fastcgi;
    uwsgi_temp_path       %[1]s/uwsgi;
    scgi_temp_path        %[1]s/scgi;
    include %[1]s/shipped.conf;
}
`

// startNginx runs nginx with the shipped deploy/nginx.conf for two servers on the given ports, and returns the page's
// URL. Edits are as for editNginxConf.
func startNginx(t *testing.T, one, two string, edits ...[2]string) string {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary, err = exec.LookPath("/usr/sbin/nginx") // Debian's, which is not in users' PATH
	}
	if err != nil {
		t.Fatalf("%v: apt-get install -y nginx-light", err)
	}
	dir := t.TempDir()
	writeCertificate(t, dir)
	httpPort, httpsPort := mustFreePort(t), mustFreePort(t)
	writeFile(t, filepath.Join(dir, "shipped.conf"), editNginxConf(t, append(edits, [][2]string{
		{`127\.0\.0\.1:5001`, "127.0.0.1:" + one},
		{`127\.0\.0\.1:5002`, "127.0.0.1:" + two},
		{`listen \[::\].*`, ""},
		{`listen 80;`, "listen " + loopback(httpPort) + ";"},
		{`listen 443 `, "listen " + loopback(httpsPort) + " "},
		{`/etc/ssl/uploads\.example\.org\.crt`, filepath.Join(dir, "server.crt")},
		{`/etc/ssl/private/uploads\.example\.org\.key`, filepath.Join(dir, "server.key")},
	}...)))
	conf := filepath.Join(dir, "nginx.conf")
	writeFile(t, conf, fmt.Sprintf(nginxConf, dir))
	p, err := startProcess(dir, nil, binary, "-p", dir, "-c", conf, "-e", "stderr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	if err := p.listens(httpsPort, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return "https://127.0.0.1:" + strconv.Itoa(httpsPort)
}

// editNginxConf is the shipped file with replacements: pairs of a regular expression, which must match, and a text.
func editNginxConf(t *testing.T, replacements [][2]string) string {
	t.Helper()
	shipped, err := os.ReadFile("../deploy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := string(shipped)
	for _, r := range replacements {
		pattern := regexp.MustCompile(r[0])
		if !pattern.MatchString(text) {
			t.Fatalf("deploy/nginx.conf has no %s", r[0])
		}
		text = pattern.ReplaceAllLiteralString(text, r[1])
	}
	return text
}

func mustFreePort(t *testing.T) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
