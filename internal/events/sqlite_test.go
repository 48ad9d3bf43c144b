//go:build !e2e

package events

import (
	"path/filepath"
	"testing"
)

// databases returns the addresses of new databases by their kind. With the tag e2e, PostgreSQL is one of them.
func databases(t testing.TB) map[string]string {
	return map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "ledger.db")}
}
