package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/postgrestest"
)

// BenchmarkLedger measures the built server without a ledger, and with one on each database.
func BenchmarkLedger(b *testing.B) {
	postgres, err := postgrestest.New()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { postgres.Close() })
	for _, k := range kinds {
		if !strings.HasPrefix(k.name, "part") {
			continue
		}
		for _, ledger := range []struct{ name, address string }{
			{"none", ""}, {"SQLite", "sqlite:" + filepath.Join(b.TempDir(), "ledger.db")},
			{"PostgreSQL", postgres.NewDatabase(b)},
		} {
			b.Run(fmt.Sprintf("request=%s/ledger=%s", k.name, ledger.name), func(b *testing.B) {
				p := startProgram(b, programs[1].path, "P3S3F_DATABASE="+ledger.address)
				measure(b, p, k.request(time.Now().UTC()), 64)
			})
		}
	}
}
