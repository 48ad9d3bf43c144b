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
	blockedTimeout = 500 * time.Millisecond // after which a writer counts as blocked
)

// lineQueue writes log lines to a writer that may block, such as a pipe that nobody reads. It then drops lines, so that
// requests do not wait, and says so in the next line that it can write. For a writer that is only slow, requests wait.
type lineQueue struct {
	to      io.Writer
	lines   chan []byte
	closing chan struct{}
	written chan struct{} // is closed after close, when all lines are written
	blocked atomic.Bool   // no line was written for blockedTimeout
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

// Write queues a line. It does not fail, and blocks for blockedTimeout at most.
func (q *lineQueue) Write(line []byte) (int, error) {
	queued := bytes.Clone(line)
	select {
	case q.lines <- queued:
		return len(line), nil
	default:
	}
	if !q.blocked.Load() {
		timer := time.NewTimer(blockedTimeout)
		defer timer.Stop()
		select {
		case q.lines <- queued:
			return len(line), nil
		case <-timer.C:
			q.blocked.Store(true)
		}
	}
	q.dropped.Add(1)
	return len(line), nil
}

func (q *lineQueue) writeLines() {
	defer close(q.written)
	reported := int64(0)
	write := func(line []byte) {
		q.to.Write(line)
		q.blocked.Store(false)
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
