//go:build e2e

// Package e2e drives the shipped page in Chromium against the built server and
// real S3 stores: radosgw and versitygw. Run it after `make`, as
//
//	go test -tags e2e ./e2e -count=1 -timeout 10m
//
// What is started is reachable on loopback only, listens on free ports, and is
// gone when the tests are over. S3_SIGN_SRV_BIN names the server to test
// (default ../bin/s3-sign-srv); versitygw is looked for beside it, then in PATH.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// shared holds what is too slow to start for every test.
// TestMain fills it before the first test; tests only read it.
var shared struct {
	browser context.Context // Chromium without what surrounds a page, which opens tabs in half the time
	gateway *radosgw
	radosgw *store // the gateway's
	files   string // a directory with every file of testFiles
	binary  string // the server
}

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)

	if shared.binary, err = serverBinary(); err != nil {
		return fail(err)
	}
	shared.files = filepath.Join(dir, "files")
	if err := writeTestFiles(shared.files); err != nil {
		return fail(err)
	}
	gateway, err := startRadosgw(filepath.Join(dir, "radosgw"))
	if err != nil {
		return fail(err)
	}
	defer gateway.stop()
	shared.gateway, shared.radosgw = gateway, gateway.store

	browser, closeBrowser, err := startBrowser("chromium-headless-shell", filepath.Join(dir, "profile"))
	if err != nil {
		return fail(err)
	}
	defer closeBrowser()
	shared.browser = browser

	// Tests that run beside each other wait for most of the time. The command line's -parallel wins over this.
	if err := flag.Set("test.parallel", "8"); err != nil {
		return fail(err)
	}
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}
