package docs

import (
	"os/exec"
	"strings"
	"testing"
)

// TestMakeRun shows that make run takes a file with settings from make's command line, and from nowhere else.
func TestMakeRun(t *testing.T) {
	const demo = "exec bin/s3-sign-srv -demo"
	for _, test := range []struct{ command, want string }{
		{"make -n run", demo},
		{"ENV=production make -n run", demo},
		{"make -n run ENV=my_p3s3f.env", `exec bin/s3-sign-srv -env "my_p3s3f.env"`},
		{"ENV=production make -n run ENV=my_p3s3f.env", `exec bin/s3-sign-srv -env "my_p3s3f.env"`},
	} {
		command := exec.Command("env", strings.Fields("-u MAKEFLAGS -u MAKELEVEL "+test.command)...)
		command.Dir = ".."
		out, err := command.Output()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if last := lines[len(lines)-1]; err != nil || last != test.want {
			t.Errorf("%s: %q, %v, want %q", test.command, last, err, test.want)
		}
	}
}
