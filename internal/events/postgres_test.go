//go:build e2e

package events

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"s3-sign-srv/internal/postgrestest"
)

// postgres is the server of all tests. TestMain sets it.
var postgres *postgrestest.Server

func TestMain(m *testing.M) {
	var err error
	if postgres, err = postgrestest.New(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	postgres.Stop()
	postgres.Close()
	os.Exit(code)
}

// databases returns the addresses of new databases by their kind.
func databases(t testing.TB) map[string]string {
	return map[string]string{
		"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "ledger.db"), "PostgreSQL": postgres.NewDatabase(t)}
}
