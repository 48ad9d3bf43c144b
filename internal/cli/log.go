package cli

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

func newLog(cfg config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogJSON {
		return slog.New(slog.NewJSONHandler(escapingWriter{w}, options))
	}
	return slog.New(slog.NewTextHandler(escapingWriter{w}, options))
}

// httpLog returns the logger for what net/http reports itself. A failed handshake and the like is the client's doing
// and logged at debug level; that the process can accept no connection, and a panic, are errors.
func httpLog(to *slog.Logger) *log.Logger { return log.New(httpLogWriter{to}, "", 0) }

type httpLogWriter struct{ to *slog.Logger }

func (w httpLogWriter) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("http: Accept error")) || bytes.HasPrefix(line, []byte("http: panic")) {
		level = slog.LevelError
	}
	w.to.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}

// escapingWriter escapes what is valid in JSON, but changes a terminal's state or the order of its text: DEL, the C1
// controls, and marks such as U+202E. Each Write is one line. slog's text handler quotes all of them but a DEL in a
// value that needs no quotes otherwise.
type escapingWriter struct{ to io.Writer }

func (w escapingWriter) Write(line []byte) (int, error) {
	text := bytes.TrimSuffix(line, []byte("\n"))
	if !bytes.ContainsFunc(text, isHidden) {
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

// isHidden reports controls, and format characters of the Basic Multilingual Plane.
func isHidden(c rune) bool {
	return unicode.IsControl(c) || c < 0x10000 && unicode.Is(unicode.Cf, c)
}

// settings returns the variables that are set, for the log. Secrets are not shown.
func (l *listener) settings() slog.Attr {
	var attrs []slog.Attr
	for _, s := range config.Settings() {
		value := l.getenv(s.Name)
		if value != "" && s.Secret {
			value = "[secret]"
		}
		if value != "" {
			attrs = append(attrs, slog.String(s.Name, value))
		}
	}
	return slog.GroupAttrs("settings", attrs...)
}
