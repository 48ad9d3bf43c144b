package cli

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

const (
	maxQueuedLines = 1000 // of about 400 bytes each
	flushTimeout   = 5 * time.Second
)

// lineQueue writes log lines to a writer that may block, such as a pipe that nobody reads. It then drops lines, so that
// requests do not wait, and says so in the next line that it can write.
type lineQueue struct {
	to      io.Writer
	lines   chan []byte
	closing chan struct{}
	written chan struct{} // is closed after close, when all lines are written
	dropped atomic.Int64  // since the start
	notice  func(io.Writer, int64)
}

// newLineQueue returns a queue in front of to. notice writes a line about a number of dropped lines.
func newLineQueue(to io.Writer, notice func(w io.Writer, dropped int64)) *lineQueue {
	q := &lineQueue{to: to, notice: notice, lines: make(chan []byte, maxQueuedLines),
		closing: make(chan struct{}), written: make(chan struct{})}
	go q.writeLines()
	return q
}

// Write queues a line. It does not fail or block.
func (q *lineQueue) Write(line []byte) (int, error) {
	select {
	case q.lines <- bytes.Clone(line):
	default:
		q.dropped.Add(1)
	}
	return len(line), nil
}

func (q *lineQueue) writeLines() {
	defer close(q.written)
	reported := int64(0)
	write := func(line []byte) {
		q.to.Write(line)
		if dropped := q.dropped.Load(); dropped > reported {
			q.notice(q.to, dropped-reported)
			reported = dropped
		}
	}
	for {
		select {
		case line := <-q.lines:
			write(line)
		case <-q.closing:
			for range len(q.lines) {
				write(<-q.lines)
			}
			return
		}
	}
}

// close waits until all lines are written, but no longer than flushTimeout. Later lines are lost.
func (q *lineQueue) close() {
	close(q.closing)
	select {
	case <-q.written:
	case <-time.After(flushTimeout):
	}
}
