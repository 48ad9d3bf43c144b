package cli

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"s3-sign-srv/internal/config"
)

// TestHTTPLog logs what keeps all clients out as an error, and what one client does at debug level.
func TestHTTPLog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out, in := io.Pipe()
	log := httpLog(newLog(config.Config{LogLevel: slog.LevelDebug}, in))
	srv := &http.Server{ErrorLog: log, TLSConfig: new(tls.Config)}
	crt, key := selfSigned(t)
	go srv.ServeTLS(&exhausted{Listener: listener}, crt, key)
	defer srv.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	lines := bufio.NewReader(out)
	for _, want := range []string{
		`level=ERROR msg="http: Accept error: too many open files; retrying in 5ms"`,
		`level=DEBUG msg="http: TLS handshake error from ` + conn.LocalAddr().String(),
	} {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, want) {
			t.Errorf("%q, %v, want %q", line, err, want)
		}
		fmt.Fprint(conn, "GET / HTTP/1.1\r\n\r\n") // no TLS
	}
}

// exhausted fails the first Accept, as if the process had too many open files.
type exhausted struct {
	net.Listener
	called bool
}

func (e *exhausted) Accept() (net.Conn, error) {
	if !e.called {
		e.called = true
		return nil, syscall.EMFILE
	}
	return e.Listener.Accept()
}

// TestLogs logs hostile text in both formats. A line has no control characters, and JSON keeps the text.
func TestLogs(t *testing.T) {
	for _, hostile := range []string{
		"caf\u00e9\u009b2J\x7f\u0085\u202e\x1b[2J\nforged", "caf\u00e9\x7f", "caf\u00e9\u202e",
	} {
		for _, asJSON := range []bool{false, true} {
			var out strings.Builder
			log := newLog(config.Config{LogJSON: asJSON}, &out)
			list, form := map[string]string{hostile: hostile}, slog.Group("form", hostile, hostile)
			log.Info("request rejected", "path", hostile, "list", list, form)
			line, more, _ := strings.Cut(out.String(), "\n")
			if more != "" || strings.ContainsFunc(line, isHidden) || !strings.Contains(line, "caf\u00e9") {
				t.Errorf("%q", out.String())
			}
			if !asJSON {
				continue
			}
			var read struct{ Path string }
			if err := json.Unmarshal([]byte(line), &read); err != nil || read.Path != hostile {
				t.Errorf("%v %q", err, read.Path)
			}
		}
	}
}
