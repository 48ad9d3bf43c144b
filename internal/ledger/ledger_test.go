package ledger

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"s3-sign-srv/internal/sign"
)

// fixture is a ledger with a clock of its own.
type fixture struct {
	*Ledger
	clock *atomic.Int64 // milliseconds since 1970
}

func sqlite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "a ledger?.db") }

// forEach runs f with a new ledger in each kind of database.
func forEach(t *testing.T, f func(t *testing.T, l fixture)) {
	for kind, address := range databases(t) {
		t.Run(kind, func(t *testing.T) { f(t, openLedger(t, address)) })
	}
}

// openAt opens a ledger whose clock starts in 2026.
func openAt(t testing.TB, address string, change func(*Config)) fixture {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixMilli())
	cfg := Config{
		Address: sign.NewSecret(address), Bucket: "mybucket", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.UnixMilli(clock.Load()) },
	}
	change(&cfg)
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return fixture{l, clock}
}

func openLedger(t testing.TB, address string) fixture { return openAt(t, address, func(*Config) {}) }

// expect imports a manifest.
func (l fixture) expect(t testing.TB, manifest string) {
	t.Helper()
	files, err := ReadManifest(strings.NewReader(manifest))
	if err == nil {
		_, err = l.Import(t.Context(), files)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// states returns "dataset/name: state key" of every expected file.
func (l fixture) states(t testing.TB) (states []string) {
	t.Helper()
	for e, err := range l.Expected(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, strings.TrimSpace(e.Dataset+"/"+e.Name+": "+e.State+" "+e.Key))
	}
	return states
}

// A step is what happens to an upload.
type step struct {
	do            string // an operation of sign, "stored", "accepted", "refused", "deleted", or a time to wait
	key           string // its first part is the owner
	dataset, name string
	sizes         *sign.SizeRange
	sha256        string
	refusal       string // part of the sentence; empty: none
}

// take takes a step.
func (l fixture) take(ctx context.Context, s step) error {
	owner, _, _ := strings.Cut(s.key, "/")
	metadata := map[string]string{}
	for name, value := range map[string]string{"dataset": s.dataset, "qqfilename": s.name, "sha256": s.sha256} {
		if value != "" {
			metadata[name] = value
		}
	}
	switch s.do {
	case "stored":
		return l.Store(ctx, Upload{Key: s.key, Owner: owner, Metadata: metadata, ETag: `"e"`, Sizes: s.sizes})
	case "accepted":
		return l.Accept(ctx, s.key)
	case "refused":
		return l.Refuse(ctx, s.key, "It has a virus.")
	case "deleted":
		return l.Delete(ctx, s.key)
	}
	if wait, err := time.ParseDuration(s.do); err == nil {
		l.clock.Add(wait.Milliseconds())
		return nil
	}
	return l.Allow(ctx, owner, &sign.Request{
		Operation: sign.Operation(s.do), Key: s.key, UploadID: "id", PartNumber: 1, Metadata: metadata, Size: s.sizes})
}
