package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"
	"unicode"

	"s3-sign-srv/internal/config"
)

func newLog(set config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: set.LogLevel}
	if set.LogJSON {
		return slog.New(slog.NewJSONHandler(escapingWriter{w}, options))
	}
	return slog.New(slog.NewTextHandler(escapingWriter{w}, options))
}

// webLog is where net/http reports what it has nobody to tell: a broken handshake and the like, which is the client's
// doing, at debug level; that it cannot take a connection, because the process may open no more files, as an error.
func webLog(to *slog.Logger) *log.Logger { return log.New(webReports{to}, "", 0) }

type webReports struct{ to *slog.Logger }

func (w webReports) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("http: Accept error")) || bytes.HasPrefix(line, []byte("http: panic")) {
		level = slog.LevelError
	}
	w.to.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}

// escapingWriter gets one line at a time and writes as escapes what is valid in JSON, but a terminal obeys or
// shows in another order: DEL, the C1 controls, and marks such as U+202E. slog's text handler quotes them
// itself, but for a DEL in a value that needs no quotes otherwise.
type escapingWriter struct{ to io.Writer }

func (w escapingWriter) Write(line []byte) (int, error) {
	text := bytes.TrimSuffix(line, []byte("\n"))
	if !bytes.ContainsFunc(text[plainLength(text):], isHidden) {
		return w.to.Write(line)
	}
	var b strings.Builder
	for _, c := range string(line) {
		if c != '\n' && isHidden(c) {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteRune(c)
		}
	}
	_, err := io.WriteString(w.to, b.String())
	return len(line), err
}

// plainLength returns how many bytes text begins with that are printable ASCII: all of them, as a rule, and found
// out eight times as fast as by looking at each character.
func plainLength(text []byte) int {
	for i, c := range text {
		if c < ' ' || c > '~' {
			return i
		}
	}
	return len(text)
}

// isHidden is true for controls and for format characters of the Basic Multilingual Plane.
func isHidden(c rune) bool {
	return unicode.IsControl(c) || c < 0x10000 && unicode.Is(unicode.Cf, c)
}
