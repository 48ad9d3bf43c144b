package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// TestBlockedLog blocks the log's writer. No Write waits; when the writer continues, the log says how many lines are
// missing.
func TestBlockedLog(t *testing.T) {
	unblock := make(chan struct{})
	var written lockedBuffer
	q := newLineQueue(writerFunc(func(line []byte) (int, error) {
		<-unblock
		return written.Write(line)
	}), func(w io.Writer, dropped int64) { fmt.Fprintf(w, "%d dropped\n", dropped) })
	const lines = maxQueuedLines + 500
	for i := range lines {
		fmt.Fprintf(q, "line %d\n", i)
	}
	close(unblock)
	q.close()
	text := written.drain()
	kept, dropped := strings.Count(text, "line "), 0
	_, notice, _ := strings.Cut(text, "line 0\n")
	if _, err := fmt.Sscanf(notice, "%d dropped\n", &dropped); err != nil || kept+dropped != lines ||
		strings.Count(text, " dropped") != 1 || int64(dropped) != q.dropped.Load() {
		t.Errorf("%v: of %d lines, %d were written and %d dropped; the log begins with %.60q",
			err, lines, kept, dropped, text)
	}
}

// TestLogIsWrittenAtTheEnd closes a queue, which writes what it has.
func TestLogIsWrittenAtTheEnd(t *testing.T) {
	var written lockedBuffer
	q := newLineQueue(&written, nil)
	for range 100 {
		fmt.Fprintln(q, "line")
	}
	q.close()
	if text := written.drain(); strings.Count(text, "line\n") != 100 {
		t.Errorf("%d lines", strings.Count(text, "line\n"))
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestSignsWithBlockedLog makes more requests than a pipe that nobody reads has room for the log of.
func TestSignsWithBlockedLog(t *testing.T) {
	blocked := make(chan struct{})
	p := startWith(t, nil, environ{"P3S3F_ACCESS_LOG": "1"}, hooks.New, writerFunc(func(line []byte) (int, error) {
		if bytes.Contains(line, []byte("msg=request ")) {
			<-blocked
		}
		return len(line), nil
	}))
	defer close(blocked)
	for range maxQueuedLines + 50 {
		p.owner(t, nil)
	}
}
