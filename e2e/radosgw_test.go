//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed radosgw.conf
var radosgwConf string

// A radosgw is a Ceph cluster with one monitor, one OSD and one S3 gateway.
type radosgw struct {
	*store
	dir, fsid string
	daemons   []*process
}

// startRadosgw creates a cluster in dir and returns when its gateway accepts connections, after 1 to 2 s.
func startRadosgw(dir string) (*radosgw, error) {
	for _, tool := range []string{"radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "monmaptool"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%w: apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd", err)
		}
	}
	rgwPort, err := freePort()
	if err != nil {
		return nil, err
	}
	monPort, err := freePort()
	if err != nil {
		return nil, err
	}
	g := &radosgw{store: newStore("radosgw", rgwPort), dir: dir, fsid: uuid()}
	if g.obeysUnsigned, err = obeysUnsigned(); err != nil {
		return nil, err
	}
	if err := g.configure(monPort); err != nil {
		return nil, err
	}
	if err := g.boot(monPort); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

// obeysUnsigned reports whether the installed radosgw is older than the fix of CVE-2026-54330.
func obeysUnsigned() (bool, error) {
	out, err := exec.Command("radosgw", "--version").Output()
	if err != nil {
		return false, err
	}
	v := make([]int, 3)
	if _, err := fmt.Sscanf(string(out), "ceph version %d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return false, fmt.Errorf("radosgw --version: %q: %w", out, err)
	}
	return slices.Compare(v, []int{19, 2, 6}) < 0 || v[0] == 20 && slices.Compare(v, []int{20, 2, 4}) < 0, nil
}

func (g *radosgw) configure(monPort int) error {
	for _, sub := range []string{"mon", "osd", "rgw", "log"} {
		if err := os.MkdirAll(filepath.Join(g.dir, sub), 0o700); err != nil {
			return err
		}
	}
	conf := strings.NewReplacer(
		"{{dir}}", g.dir,
		"{{fsid}}", g.fsid,
		"{{mon port}}", strconv.Itoa(monPort),
		"{{rgw port}}", strconv.Itoa(g.port),
	).Replace(radosgwConf)
	return os.WriteFile(g.file("ceph.conf"), []byte(conf), 0o600)
}

// boot creates and starts the daemons in the order of their dependencies.
func (g *radosgw) boot(monPort int) error {
	conf, osd := g.file("ceph.conf"), uuid()
	steps := []func() error{
		g.run("monmaptool", "--create", "--fsid", g.fsid,
			"--addv", "a", fmt.Sprintf("[v2:127.0.0.1:%d/0]", monPort), g.file("monmap")),
		g.run("ceph-mon", "-c", conf, "-i", "a", "--mkfs", "--monmap", g.file("monmap")),
		g.daemon("ceph-mon", "-c", conf, "-i", "a", "-f"),
		g.run("ceph", "-c", conf, "--connect-timeout", "30", "osd", "new", osd, "0"),
		g.run("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", osd),
		g.daemon("ceph-osd", "-c", conf, "-i", "0", "-f"),
		g.run("radosgw-admin", "-c", conf, "-n", "client.rgw", "user", "create", "--uid=tester",
			"--display-name=tester", "--access-key="+g.accessKey, "--secret-key="+g.secretKey),
		g.daemon("radosgw", "-c", conf, "-n", "client.rgw", "-f"),
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return g.daemons[len(g.daemons)-1].listens(g.port, 30*time.Second)
}

// run is a step that runs a command, which must succeed.
func (g *radosgw) run(command ...string) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
		return nil
	}
}

// daemon is a step that starts a process that keeps running.
func (g *radosgw) daemon(command ...string) func() error {
	return func() error {
		p, err := startProcess(g.dir, os.Environ(), command...)
		if err == nil {
			g.daemons = append(g.daemons, p)
		}
		return err
	}
}

// stop kills the daemons. A clean shutdown of the OSD would take 5 s.
func (g *radosgw) stop() {
	for _, p := range g.daemons {
		p.stop()
	}
}

func (g *radosgw) file(name string) string { return filepath.Join(g.dir, name) }

// uuid returns a random (version 4) UUID.
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
