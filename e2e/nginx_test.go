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

// nginxConf is what Debian's /etc/nginx/nginx.conf is for: a frame around the shipped file.
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

// startNginx puts nginx in front of two servers, with the shipped deploy/nginx.conf, and returns the page's URL.
func startNginx(t *testing.T, one, two string) string {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary, err = exec.LookPath("/usr/sbin/nginx") // where Debian has it, and users' PATH does not look
	}
	if err != nil {
		t.Fatalf("%v: apt-get install -y nginx-light", err)
	}
	dir := t.TempDir()
	writeCertificate(t, dir)
	web, secure := aFreePort(t), aFreePort(t)
	shipped, err := os.ReadFile("../deploy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := string(shipped)
	for _, edit := range [][2]string{
		{`127\.0\.0\.1:5001`, "127.0.0.1:" + one},
		{`127\.0\.0\.1:5002`, "127.0.0.1:" + two},
		{`listen \[::\].*`, ""},
		{`listen 80;`, "listen " + loopback(web) + ";"},
		{`listen 443 `, "listen " + loopback(secure) + " "},
		{`/etc/ssl/uploads\.example\.org\.crt`, filepath.Join(dir, "server.crt")},
		{`/etc/ssl/private/uploads\.example\.org\.key`, filepath.Join(dir, "server.key")},
	} {
		was := regexp.MustCompile(edit[0])
		if !was.MatchString(text) {
			t.Fatalf("deploy/nginx.conf has no %s", edit[0])
		}
		text = was.ReplaceAllLiteralString(text, edit[1])
	}
	writeFile(t, filepath.Join(dir, "shipped.conf"), text)
	conf := filepath.Join(dir, "nginx.conf")
	writeFile(t, conf, fmt.Sprintf(nginxConf, dir))
	p, err := startProcess(dir, nil, binary, "-p", dir, "-c", conf, "-e", "stderr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	if err := p.listens(secure, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return "https://127.0.0.1:" + strconv.Itoa(secure)
}

func aFreePort(t *testing.T) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
