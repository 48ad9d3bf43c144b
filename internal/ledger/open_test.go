package ledger

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

// TestOpenErrors opens databases that cannot be used. No error has the password.
func TestOpenErrors(t *testing.T) {
	const password = "pass-word"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, address, want string }{
		{"no such folder", "sqlite:" + file + "/ledger.db", "cannot be used"},
		{"another file", "sqlite:" + file, "file is not a database"},
		{"no server", "postgres://ada:" + password + "@127.0.0.1:1/db", "db at 127.0.0.1 cannot be used: "},
		{"no such host", "postgres://ada:" + password + "@host.invalid/db", "db at host.invalid cannot be used: "},
		{"not a port", "postgres://ada:" + password + "@127.0.0.1:port/db", "is not an address of PostgreSQL"},
		{"not encoded", "postgres://ada:" + password + "%@127.0.0.1/db", "is not an address of PostgreSQL"},
		{"unknown option", "postgres://ada:" + password + "@127.0.0.1:1/db?sslmode=often", "is not an address of PostgreSQL"},
	} {
		_, err := Open(t.Context(), Config{Address: sign.NewSecret(test.address), Bucket: "b", Now: time.Now})
		if err == nil || !strings.HasPrefix(err.Error(), "P3S3F_DATABASE") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
			continue
		}
		if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has the password or two lines: %v", test.name, err)
		}
	}
}

// TestOpenAtOnce opens a new database from several servers at once.
func TestOpenAtOnce(t *testing.T) {
	for kind, address := range databases(t) {
		t.Run(kind, func(t *testing.T) {
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					l, err := Open(t.Context(), Config{
						Address: sign.NewSecret(address), Bucket: "b", Log: slog.New(slog.DiscardHandler), Now: time.Now})
					if err != nil {
						t.Error(err)
						return
					}
					l.Close()
				})
			}
			group.Wait()
		})
	}
}

// TestAway checks what is allowed when the database no longer responds.
func TestAway(t *testing.T) {
	for _, test := range []struct {
		name         string
		signWhenAway bool
		step
		allowed bool
	}{
		{"first request", true, step{do: form, key: "ada/2"}, false},
		{"part, by the last look", false, step{do: part, key: "ada/1"}, true},
		{"part, later", false, step{do: part, key: "ada/1", name: "31s"}, false},
		{"part, later, as set", true, step{do: part, key: "ada/1", name: "31s"}, true},
		{"part, of another replica", true, step{do: part, key: "ada/3"}, true},
		{"complete", false, step{do: complete, key: "ada/1"}, false},
		{"complete, as set", true, step{do: complete, key: "ada/1"}, true},
		{"abort, as set", true, step{do: abort, key: "ada/1"}, true},
		{"report", true, step{do: "stored", key: "ada/1"}, false},
		{"result", true, step{do: "accepted", key: "ada/1"}, false},
		{"deletion", true, step{do: "deleted", key: "ada/1"}, false},
	} {
		l := openAt(t, sqlite(t), func(c *Config) { c.SignWhenAway = test.signWhenAway })
		for _, do := range []string{initiate, part} {
			if err := l.take(t.Context(), step{do: do, key: "ada/1"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		l.Close()
		l.take(context.Background(), step{do: test.step.name})
		err := l.take(t.Context(), test.step)
		var e *apierror.Error
		isAway := errors.As(err, &e) && e.Code == apierror.Unavailable
		if isAway == test.allowed || (err == nil) != test.allowed {
			t.Errorf("%s: %v, want it to be allowed: %t", test.name, err, test.allowed)
		}
		if l.Ping(t.Context()) == nil {
			t.Errorf("%s: the database responds", test.name)
		}
	}
}
