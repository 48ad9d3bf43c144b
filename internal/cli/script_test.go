package cli

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"s3-sign-srv/internal/hooks"
)

// TestMain makes these programs of the test binary, for the scripts and benchmarks.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"s3-sign-srv": func() { endWithParent(); Main(hooks.New) },
		"await":       awaitMain,
		"certificate": certificateMain,
		"get":         getMain,
		"store":       func() { endWithParent(); storeMain() },
		"unchecked":   uncheckedMain,
	})
}

// endWithParent ends this program soon after its parent has ended. A script that is killed, because a test has failed
// or was interrupted, would otherwise leave its servers running.
func endWithParent() {
	parent := os.Getppid()
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			if os.Getppid() != parent {
				os.Exit(1)
			}
		}
	}()
}

// TestServerEndsWithParent kills a script with a server in the background, as an interrupted test does.
func TestServerEndsWithParent(t *testing.T) {
	output, script, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd := exec.Command("sh", "-c", "s3-sign-srv & wait")
	cmd.Env = append(os.Environ(), "AWS_CLIENT_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY=s3cret",
		"AWS_DEST_BUCKET=mybucket", "AWS_ENDPOINT=http://127.0.0.1:9", "P3S3F_HOST_PORT=0")
	cmd.Stdout = script
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	script.Close()
	lines := bufio.NewReader(output)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "open ") {
		t.Errorf("the server wrote %q, %v", line, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	output.SetReadDeadline(time.Now().Add(20 * time.Second))
	if rest, err := io.ReadAll(lines); err != nil { // the end of the pipe is that of the server
		t.Errorf("the server still runs: %q, %v", rest, err)
	}
}

// TestScripts runs the command lines in testdata/script. $PORT and $STORE are free ports.
func TestScripts(t *testing.T) {
	resetHangup(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("STORE", freePort(t))
			env.Setenv("PORT", freePort(t))
			return nil
		},
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// retry calls f until it succeeds, for 10 seconds.
func retry(f func() error) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			log.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// getMain prints the status, the type and the body of a URL, once a server listens there.
func getMain() {
	retry(func() error {
		resp, err := http.Get(os.Args[1])
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Content-Type"))
		_, err = io.Copy(os.Stdout, resp.Body)
		return err
	})
}

// awaitMain returns once a file exists and contains the second argument, if there is one.
func awaitMain() {
	retry(func() error {
		text, err := os.ReadFile(os.Args[1])
		if err == nil && len(os.Args) > 2 && !strings.Contains(string(text), os.Args[2]) {
			err = fmt.Errorf("%s has no %q: %s", os.Args[1], os.Args[2], text)
		}
		return err
	})
}

// certificateMain writes a certificate for localhost and its key.
func certificateMain() {
	if err := writeCertificate(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// storeMain is a store that keeps CORS rules only: those that it receives, or those in its second argument.
func storeMain() {
	var rules atomic.Value
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kept, _ := rules.Load().(string)
		switch {
		case r.Method == http.MethodPut && len(os.Args) > 2:
			rules.Store(os.Args[2])
		case r.Method == http.MethodPut:
			body, _ := io.ReadAll(r.Body)
			rules.Store(string(body))
		case kept == "":
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "<Error><Code>NoSuchCORSConfiguration</Code></Error>")
		default:
			io.WriteString(w, kept)
		}
	})))
}

// resetHangup makes programs that the test starts end at SIGHUP, even if the test itself runs under nohup.
func resetHangup(t *testing.T) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
}
