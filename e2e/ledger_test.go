//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"s3-sign-srv/internal/postgrestest"
)

// Expected files in Chromium: a file that is not in the list is rejected, one that is in the list is uploaded although
// the server is killed meanwhile, and nobody can upload it again.
func TestLedgerPage(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	proxy := startTCPProxy(t, b.port, inFlight+2*mib)
	env := settingsFor(b, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly).with(settings{
		"P3S3F_DATABASE": "sqlite:" + t.TempDir() + "/ledger.db"})
	srv := startServer(t, newWorkDir(t), env)
	page := openTab(t, srv.url, `status of 403`, `response code 403`, `is not expected`, `ERR_CONNECTION_REFUSED`,
		`ERR_CONNECTION_RESET`, `ERR_SOCKET_NOT_CONNECTED`, `ERR_EMPTY_RESPONSE`, `response code 0`, `Problem signing`,
		`empty or invalid response`)
	expect(t, env, "dataset,name,size\n"+page.dataset()+fmt.Sprintf(",%s,%d\n", longFile.name, longFile.size))
	page.choose(smallFile)
	page.awaitText(30*time.Second, fmt.Sprintf("The file %q is not expected in the data set %q", smallFile.name,
		page.dataset()))
	page.choose(longFile)
	eventually(t, 30*time.Second, "the upload is blocked", proxy.limitReached)
	srv = srv.restart(t, env)
	proxy.unblock()
	eventually(t, time.Minute, "the file is uploaded", func() bool { return page.uploadOf(longFile).Status == done })
	u := page.uploadOf(longFile)
	b.checkObject(t, u.Key, longFile, page.dataset())
	if list := env.run(t, "expect", "list"); !strings.Contains(list, "\naccepted  ") || !strings.Contains(list, u.Key) {
		t.Errorf("expect list does not have the file as accepted under %s:\n%s", u.Key, list)
	}
	other := openTab(t, srv.url, `status of 409`, `response code 409`, `there already`)
	other.choose(longFile)
	other.awaitText(30*time.Second, fmt.Sprintf("This file is there already, under the key %q", u.Key))
	other.screenshot("ledger")
	b.checkObjectCount(t, 1)
}

// TestLedger uploads expected files without a browser.
func TestLedger(t *testing.T) {
	t.Parallel()
	postgres, err := postgrestest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { postgres.Close() })
	b := newBucket(t, shared.radosgw)
	env := settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly)
	on := func(address string) settings { return env.with(settings{"P3S3F_DATABASE": address}) }

	// Of 20 clients of two replicas, one uploads the file, and the others get a sentence.
	t.Run("replicas", func(t *testing.T) {
		env := on(postgres.NewDatabase(t))
		replicas := []*server{startServer(t, t.TempDir(), env), startServer(t, t.TempDir(), env)}
		expect(t, env, "dataset,name\nD1,reads.bam\n")
		errs := make([]error, 20)
		var group sync.WaitGroup
		for i := range errs {
			srv := replicas[i%2]
			c, steps := newLedgerClient(t, b, srv), []string{"form"}
			if i%4 < 2 {
				steps = []string{"initiate", "part", "complete"}
			}
			group.Go(func() { errs[i] = c.upload(t, srv, steps...) })
		}
		group.Wait()
		winners := 0
		for i, err := range errs {
			if err == nil {
				winners++
			} else if !strings.HasPrefix(err.Error(), "409 ") || !strings.Contains(err.Error(), "under the key") {
				t.Errorf("client %d: %v", i, err)
			}
		}
		if list := env.run(t, "expect", "list"); winners != 1 || !strings.Contains(list, "\naccepted  D1") {
			t.Errorf("%d clients were told success, want one:\n%s", winners, list)
		}
	})

	// The server is killed between the claim, the object and the report, and goes on where it was.
	for name, address := range map[string]string{
		"killed, SQLite": "sqlite:" + t.TempDir() + "/ledger.db", "killed, PostgreSQL": postgres.NewDatabase(t),
	} {
		t.Run(name, func(t *testing.T) {
			env := on(address)
			srv := startServer(t, t.TempDir(), env)
			expect(t, env, "dataset,name\nD1,reads.bam\n")
			c, other := newLedgerClient(t, b, srv), newLedgerClient(t, b, srv)
			for i, step := range []func() error{
				func() error { return c.sign(srv, "initiate") },
				func() error { return c.sign(srv, "part") },
				func() error { return c.sign(srv, "complete") },
				func() error { return c.store(t) },
				func() error { return c.report(srv) },
				func() error { return c.report(srv) },
			} {
				if err := step(); err != nil {
					t.Errorf("step %d: %v", i, err)
				}
				srv = srv.restart(t, env)
				if err := other.sign(srv, "form"); err == nil || !strings.Contains(err.Error(), c.key) {
					t.Errorf("another upload after step %d: %v, want 409 with the key", i, err)
				}
			}
		})
	}

	// The database is stopped and started again.
	t.Run("away", func(t *testing.T) {
		env := on(postgres.NewDatabase(t))
		required, optional := startServer(t, t.TempDir(), env),
			startServer(t, t.TempDir(), env.with(settings{"P3S3F_DATABASE_REQUIRED": "0"}))
		c := newLedgerClient(t, b, required)
		for _, step := range []string{"initiate", "part"} {
			if err := c.sign(required, step); err != nil {
				t.Error(err)
			}
		}
		postgres.Stop()
		for _, test := range []struct {
			srv  *server
			step string
			want string
		}{
			{required, "part", ""}, {required, "complete", "503"}, {required, "form", "503"},
			{optional, "part", ""}, {optional, "complete", ""}, {optional, "form", "503"},
		} {
			if err := c.sign(test.srv, test.step); fmt.Sprint(err)[:3] != (test.want + "<ni")[:3] {
				t.Errorf("%s while the database is away: %v, want %q", test.step, err, test.want)
			}
		}
		if err := postgres.Start(); err != nil {
			t.Fatal(err)
		}
		if err := c.upload(t, required, "complete"); err != nil {
			t.Errorf("after the database is back: %v", err)
		}
		if log := required.output.String(); strings.Contains(log, postgrestest.Password) || strings.Contains(log, "pass%2F") {
			t.Error("the log has the password of the database")
		}
	})
}
