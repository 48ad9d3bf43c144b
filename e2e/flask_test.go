//go:build e2e

package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	_ "modernc.org/sqlite"
)

// hooksSecret is shared by the server and the application.
const hooksSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// A flaskApplication is examples/flask with Debian's Flask.
type flaskApplication struct {
	*process
	port     int
	database string
}

// start starts the application, again after it was stopped.
func (a *flaskApplication) start(t *testing.T) {
	t.Helper()
	var err error
	a.process, err = startProcess("../examples/flask", []string{
		"P3S3F_HOOKS_SECRET=" + hooksSecret, "APP_SECRET=of the sessions", "APP_DATABASE=" + a.database,
		"PYTHONDONTWRITEBYTECODE=1",
	}, "/usr/bin/python3", "-m", "flask", "--app", "app", "run", "--port", strconv.Itoa(a.port))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.listens(a.port, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// query returns a text from the application's database.
func (a *flaskApplication) query(t *testing.T, query string, args ...any) (text string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+a.database+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query, args...).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

// An application in Python decides: who is logged in, which files are expected, and what is recorded. An upload goes on
// when the application is back.
func TestFlaskApplication(t *testing.T) {
	t.Parallel()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	app := &flaskApplication{port: port, database: filepath.Join(t.TempDir(), "app.db")}
	app.start(t)
	t.Cleanup(func() { app.stop() })

	b := newBucket(t, shared.radosgw)
	proxy := startHTTPProxy(t, b.port, firstHalf)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly).with(settings{
		"P3S3F_HOOKS_URL": fmt.Sprintf("http://127.0.0.1:%d/hooks", port), "P3S3F_HOOKS_SECRET": hooksSecret,
	}))
	page := openTab(t, srv.url, `favicon`, `status of (401|403|503)`, `Fine Uploader`,
		`Refused to execute script`)
	page.awaitText(30*time.Second, "Please log in.")
	unsigned, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/hooks", port), "application/json",
		strings.NewReader(`{"type":"delete","data":{}}`))
	if err != nil || unsigned.Body.Close() != nil || unsigned.StatusCode != http.StatusUnauthorized {
		t.Errorf("a message without a signature: %v, %v", unsigned, err)
	}

	page.do(chromedp.Navigate(fmt.Sprintf("http://localhost:%d/login", port)))
	page.exec(`document.querySelector("input").value = "ann"; document.forms[0].submit()`)
	page.awaitText(30*time.Second, "You are logged in as ann.")
	page.do(chromedp.Navigate(srv.url))
	page.awaitText(30*time.Second, "Drop files here")
	dataset := page.dataset()
	for _, f := range []testFile{smallFile, surveyFile} {
		app.query(t, `INSERT INTO expected (dataset, name) VALUES (?, ?) RETURNING name`, dataset, f.name)
	}
	state := func(f testFile) string {
		return app.query(t, `SELECT CASE WHEN etag IS NOT NULL THEN 'complete' WHEN s3key IS NOT NULL THEN 'reserved'
			ELSE 'expected' END FROM expected WHERE name = ?`, f.name)
	}

	page.choose(smallFile)
	page.awaitRow(smallFile.name, "Uploaded")
	small := page.uploadOf(smallFile)
	if !strings.HasPrefix(small.Key, "user/ann/") || state(smallFile) != "complete" {
		t.Errorf("the upload has the key %s, and its row is %s", small.Key, state(smallFile))
	}
	page.choose(untypedFile)
	page.awaitText(30*time.Second, "This file is not expected, or it is there already; check the data set.")
	b.checkObjectCount(t, 1)
	page.delete(small.ID)
	eventually(t, 30*time.Second, "the application knows of the deletion", func() bool {
		return state(smallFile) == "expected"
	})
	b.checkObjectCount(t, 0)

	page.choose(surveyFile)
	eventually(t, 2*time.Minute, "half of the file is stored", proxy.isBlocked)
	app.stop()
	proxy.unblock()
	eventually(t, 2*time.Minute, "the server misses the application", func() bool {
		return strings.Contains(srv.output.String(), "status=503")
	})
	if state := state(surveyFile); state != "reserved" {
		t.Errorf("without the application the row is %s", state)
	}
	app.start(t)
	page.awaitRow(surveyFile.name, "Uploaded")
	b.checkObject(t, page.uploadOf(surveyFile).Key, surveyFile, dataset)
	if state := state(surveyFile); state != "complete" {
		t.Errorf("the row of the second upload is %s", state)
	}
}
