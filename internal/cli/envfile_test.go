package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// outside is the environment that env files are read in, here and by bash.
var outside = []string{"HOME=/home/ada", "ODD=it's", "PATH=" + os.Getenv("PATH")}

// sourced returns what bash exports of names after sourcing the file.
func sourced(t *testing.T, path string, names ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("bash", "-c", `source "$0" && env -0`, path)
	cmd.Env = outside
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("bash: %v", err)
	}
	values := map[string]string{}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		for _, wanted := range names {
			if name == wanted {
				values[name] = value
			}
		}
	}
	return values
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my_p3s3f.env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEnvFileLikeBash reads lines here and in bash, with the same value.
func TestEnvFileLikeBash(t *testing.T) {
	for _, line := range []string{
		"export A=plain",
		"  export A=127.0.0.1 # localhost",
		"export A=abc # x # y",
		"export A=",
		"export A=''",
		`export A=""`,
		"export A='single $HOME `x` \\ # \"no comment\"' # comment",
		`export A="double # no comment" # comment`,
		"export A=$HOME/ssl_cert/server.crt",
		`export A="${HOME}dir and $HOME"`,
		"export B=one\nexport A=$B/two",
		"export A=one\nexport A=two",
		"export HOME=/new\nexport A=$HOME",
		"export A=$HOME\nexport HOME=/new",
		"export A='https://some.s3.server.ac.uk'",
		"# a comment\n\n   # another\nexport A=1\n",
		"export A=wJalrXUtnFEMI/K7MDENG+bPxRfiCY=EXAMPLE",
	} {
		path := writeFile(t, line+"\n")
		got, err := readEnvFile(path, parseEnviron(outside))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if want := sourced(t, path, "A")["A"]; got["A"] != want {
			t.Errorf("%q: %q, bash says %q", line, got["A"], want)
		}
	}
}

// TestShippedEnvFile reads the shipped file here and in bash.
func TestShippedEnvFile(t *testing.T) {
	got, err := readEnvFile("../../p3s3f.env", parseEnviron(outside))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"P3S3F_HOST_NAME", "P3S3F_HOST_PORT", "P3S3F_THREADED", "P3S3F_USE_HTTPS", "P3S3F_SRV_CRT",
		"P3S3F_SRV_KEY",
		"AWS_CLIENT_ACCESS_KEY", "AWS_CLIENT_SECRET_KEY", "AWS_DEST_BUCKET", "AWS_ENDPOINT"}
	want := sourced(t, "../../p3s3f.env", append(names, "P3S3F_OWN_UPLOADS_ONLY")...)
	for _, name := range names {
		if _, ok := want[name]; !ok {
			t.Errorf("the shipped file does not set %s", name)
		}
	}
	for name := range got {
		if got[name] != want[name] {
			t.Errorf("%s is %q, bash says %q", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d variables are read, bash exports %d", len(got), len(want))
	}
}

// TestEnvFileErrors names the line in every error, and never its value.
func TestEnvFileErrors(t *testing.T) {
	for line, want := range map[string]string{
		"A=s3cret":                  "lacks the word export in front of A",
		"A=/s3cret\nexport B=$A":    "lacks the word export in front of A",
		"export A=s3cret; rm -rf":   "sets A to a value that bash and this program could read differently",
		"export A=`s3cret`":         "sets A to the output of a command",
		"export A=$(s3cret)":        "sets A to the output of a command",
		`export A="$(cat s3cret)"`:  "sets A to the output of a command; write the value itself, or let bash source",
		`export A="x${B}$(s3cret)"`: "sets A to the output of a command",
		`export A="s3\"cret"`:       "put it into single quotes",
		`export A="s3"cret`:         "put it into single quotes",
		"export A='s3' cret":        "put it into single quotes",
		"export A = s3cret":         "not of the form export NAME=value",
		"export A=~/s3cret":         "sets A to a path that begins with ~; write $HOME instead",
		"export A=s3{c,r}et":        "a $ or a brace",
		"export A=s3#cret":          "put it into single quotes",
		"export A=s3{cr}et":         "a $ or a brace",
		"export A=$/s3cret":         "a $ or a brace",
		`export A="$/s3cret"`:       "a $ or a brace",
		`export A="${B:-s3cret}"`:   "a ${…} that is more than a variable's name; write the value itself",
		"export A=$home/s3cret":     "lets A refer to $home; only names in capitals",
		"export A=$HOMEs/s3cret":    "only names in capitals",
		"export A=$ODD":             "whose value has a quote",
		"export A=$NOWHERE":         "lets A refer to $NOWHERE, which is not set",
		"export A=s3cret\r":         "Windows",
		"if true; then":             "not of the form",
	} {
		_, err := readEnvFile(writeFile(t, "# first\n"+line+"\n"), parseEnviron(outside))
		if err == nil || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "s3cret") ||
			!strings.Contains(err.Error(), "line 2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want line 2 and %q, without the value", line, err, want)
		}
	}
	for text, want := range map[string]string{
		"\ufeffexport A=s3cret\n":        "line 1: begins with a byte order mark",
		"# a\r\n\r\nexport A=s3cret\r\n": "Windows",
		"\xff\xfee\x00x\x00":             "save it as UTF-8",
	} {
		_, err := readEnvFile(writeFile(t, text), parseEnviron(outside))
		if err == nil || strings.Count(err.Error(), want) != 1 || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want %q once, without the value", text, err, want)
		}
	}
}

// TestEnvironmentOverridesFile sets a variable in both.
func TestEnvironmentOverridesFile(t *testing.T) {
	path := writeFile(t, "export HOME=/file\nexport AWS_REGION=file\n")
	getenv, err := readEnviron(path, parseEnviron(outside))
	if err != nil {
		t.Fatal(err)
	}
	if home, region := getenv("HOME"), getenv("AWS_REGION"); home != "/home/ada" || region != "file" {
		t.Errorf("HOME %q, AWS_REGION %q", home, region)
	}
	_, err = readEnviron(filepath.Join(t.TempDir(), "nowhere.env"), nil)
	if err == nil || !strings.Contains(err.Error(), "-env") {
		t.Errorf("a missing file: %v", err)
	}
}

// TestUnknownSettings sets variables that nothing reads.
func TestUnknownSettings(t *testing.T) {
	const none = " is not a setting, and would have no effect; "
	for name, want := range map[string]string{
		"P3S3F_MAX_BYTE":       "P3S3F_MAX_BYTE" + none + "write P3S3F_MAX_BYTES if you mean that, or remove it",
		"P3S3F_ALLOW_DELETES":  "write P3S3F_ALLOW_DELETE if",
		"P3S3F_TIMEOUT":        "P3S3F_TIMEOUT" + none + "remove it, or see s3-sign-srv help settings",
		"AWS_REGIN":            "write AWS_REGION if",
		"AWS_CLIENT_SECRETKEY": "write AWS_CLIENT_SECRET_KEY if",
		"AWS_DEFAULT_REGION":   "", // the AWS tools' own
		"AWS_SESSION":          "",
		"P3S3F_SERVICE_HOST":   "", // Kubernetes'
		"P3S3F_PORT_5000_TCP":  "",
		"AWS_PROFILE":          "",
		"P3S3F_MAX_BYTES":      "",
		"APP_DATABASE":         "",
	} {
		for where, read := range map[string]func() error{
			"environment": func() error { _, err := readEnviron("", environ{name: "s3cret"}); return err },
			"file": func() error {
				t.Setenv(name, "") // restored at the end
				_, err := readEnviron(writeFile(t, "export "+name+"=s3cret\n"), nil)
				return err
			},
		} {
			got := ""
			if err := read(); err != nil {
				got = err.Error()
			}
			wrong := strings.Contains(got, "\n") || strings.Contains(got, "s3cret")
			if wrong || !strings.Contains(got, want) || (want == "") != (got == "") {
				t.Errorf("%s in the %s: %q, want %q", name, where, got, want)
			}
		}
	}
}

// FuzzEnvFile compares every accepted line with bash.
func FuzzEnvFile(f *testing.F) {
	f.Add("plain")
	f.Add("'a b' # c")
	f.Add(`"${HOME}x"`)
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "\n\x00") {
			t.Skip("one line, without the byte that no environment can hold")
		}
		path := writeFile(t, "export A="+value+"\n")
		got, err := readEnvFile(path, parseEnviron(outside))
		if err != nil {
			return
		}
		if want := sourced(t, path, "A")["A"]; got["A"] != want {
			t.Errorf("%q: %q, bash says %q", value, got["A"], want)
		}
	})
}
