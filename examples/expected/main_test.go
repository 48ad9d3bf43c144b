package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the program of the test binary, if a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_PROGRAM") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestEventSurvivesStop stops the program while it sends an event. It ends after the event was received.
func TestEventSurvivesStop(t *testing.T) {
	received, release := make(chan string), make(chan struct{})
	events := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		received <- r.URL.Query().Get("key")
		<-release
	}))
	defer events.Close()
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"e"`)
		w.Header().Set("Content-Length", "11")
	}))
	defer store.Close()
	file, db := newDatabase(t)
	if _, err := db.Exec(`UPDATE expected SET s3key = 'user/42/k1.bam' WHERE name = 'reads.bam'`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, os.Args[0])
	program.Env = []string{
		"RUN_PROGRAM=1", "AWS_CLIENT_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE",
		"AWS_CLIENT_SECRET_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_DEST_BUCKET=mybucket",
		"AWS_ENDPOINT=" + store.URL, "P3S3F_HOST_PORT=0", "P3S3F_SERVE_PAGE=0",
		"APP_DATABASE=" + file, "APP_WHOAMI=" + startApplication(t), "APP_EVENTS=" + events.URL,
	}
	var log strings.Builder
	program.Stderr = &log
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	output := bufio.NewReader(out)
	line, err := output.ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "serving the API at ")
	if err != nil || !found {
		t.Fatalf("did not start: %q, %v\n%s", line, err, &log)
	}

	request, err := http.NewRequestWithContext(ctx, "POST", address+"/s3/success",
		strings.NewReader("key=user%2F42%2Fk1.bam&bucket=mybucket&uuid=0e4b"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.AddCookie(&http.Cookie{Name: "session", Value: "of-42"})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	key := <-received
	program.Process.Signal(syscall.SIGTERM)
	for { // until the listener is closed
		r, err := http.Get(address + "/healthz")
		if err != nil {
			break
		}
		r.Body.Close()
	}
	close(release)
	rest, _ := io.ReadAll(output)
	if err := program.Wait(); err != nil || key != "user/42/k1.bam" || strings.Contains(log.String(), "event not sent") {
		t.Errorf("event %q, %v, %s\n%s", key, err, rest, &log)
	}
}
