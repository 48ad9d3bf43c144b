//go:build e2e

// Package e2e tests the shipped page in Chromium with the built server and real S3 stores, radosgw and versitygw. After
// make, run
//
//	go test -tags e2e ./e2e -count=1 -timeout 15m
//
// The tests start everything on free loopback ports, and stop it at the end. S3_SIGN_SRV_BIN is the server to test
// (default ../bin/s3-sign-srv). versitygw is taken from the server's directory, or else from PATH.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// shared is what all tests use, as it is too slow to start for each of them. TestMain sets it; tests only read it.
var shared struct {
	browser context.Context // chromium-headless-shell, which opens tabs in half of Chromium's time
	gateway *radosgw
	radosgw *store // the gateway's
	files   string // the directory of the test files
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

	// Parallel tests wait most of the time. -parallel on the command line takes precedence.
	if err := flag.Set("test.parallel", "8"); err != nil {
		return fail(err)
	}
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}
