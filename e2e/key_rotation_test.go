//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A chunked upload goes on while the key pair of the server is replaced: its page uses the old pair, new pages the new
// one. Without the old pair, the old page asks to be reloaded.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2", "4"} {
		b := newBucket(t, shared.radosgw)
		accessKey, secretKey := "NEWPAIR"+version, strings.Repeat("n", 40)
		create := shared.gateway.run("radosgw-admin", "-c", shared.gateway.file("ceph.conf"), "-n", "client.rgw", "key",
			"create", "--uid=tester", "--key-type=s3", "--access-key="+accessKey, "--secret-key="+secretKey)
		if err := create(); err != nil {
			t.Fatal(err)
		}
		proxy := startTCPProxy(t, b.port, inFlight+2*mib)
		dir := newWorkDir(t)
		file := filepath.Join(dir, "my_p3s3f.env")
		keys := func(name, accessKey, secretKey string) string {
			return fmt.Sprintf("export AWS_CLIENT_%sACCESS_KEY='%s'\nexport AWS_CLIENT_%[1]sSECRET_KEY='%[3]s'\n",
				name, accessKey, secretKey)
		}
		writeFile(t, file, keys("", b.accessKey, b.secretKey))
		env := settingsFor(b, pathStyle.endpoint(proxy.port)).with(settings{"AWS_CLIENT_ACCESS_KEY": "",
			"AWS_CLIENT_SECRET_KEY": "", "P3S3F_SIGNATURE_VERSION": version})
		srv := startServer(t, dir, env, "-env", file)
		reload := func(lines string, n int) {
			t.Helper()
			writeFile(t, file, lines)
			srv.signal(syscall.SIGHUP)
			eventually(t, 10*time.Second, "the settings are reloaded", func() bool {
				return strings.Count(srv.output.String(), "settings reloaded") == n
			})
		}

		old := openTab(t, srv.url, `status of 403`, `Fine Uploader`)
		old.choose(longFile)
		eventually(t, 30*time.Second, "the upload is blocked", proxy.limitReached)
		reload(keys("", accessKey, secretKey)+keys("OLD_", b.accessKey, b.secretKey), 1)
		proxy.unblock()
		u := old.awaitStatus(30*time.Second, 1, done)[0]
		b.checkObject(t, u.Key, longFile, old.dataset())

		page := openTab(t, srv.url)
		if got := eval[string](page, `fine_u_conf.request.accessKey`); got != accessKey {
			t.Errorf("access key of a new page: %s, want %s", got, accessKey)
		}
		page.choose(smallFile, untypedLongFile)
		page.awaitStatus(30*time.Second, 2, done)
		if log := srv.warnings(); len(log) > 0 {
			t.Errorf("version %s: %s", version, log)
		}

		reload(keys("", accessKey, secretKey), 2)
		old.choose(smallFile)
		old.awaitText(30*time.Second, "reload the page")
		page.choose(smallFile)
		page.awaitStatus(30*time.Second, 3, done)
	}
}
