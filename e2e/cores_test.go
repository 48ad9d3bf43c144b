//go:build e2e && speed

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A ledger says who has had the processors so far, by role.
type ledger map[string]time.Duration

// roles in the order in which they are printed; idle is of the whole machine.
var roles = []string{"page", "browser", "network", "store", "server", "other", "idle"}

// ledgerNow sums up the processes that there are. What a process took is lost when it ends.
func ledgerNow(t *testing.T) ledger {
	t.Helper()
	all, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	var idle, waiting int
	if _, err := fmt.Sscanf(string(all), "cpu %d %d %d %d %d", new(int), new(int), new(int), &idle, &waiting); err != nil { // user nice system idle iowait …, see proc(5)
		t.Fatal(err)
	}
	l := ledger{"idle": ticks(idle + waiting)}
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is a good one
	for _, dir := range processes {
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if s, err := readStat(filepath.Join(dir, "stat")); err == nil { // else it has ended meanwhile
			l[roleOf(string(command))] += s.took
		}
	}
	return l
}

// roleOf tells a process by its command line, whose words end with zeros, or with spaces where a program of
// Chromium's has written it anew.
func roleOf(command string) string {
	command = strings.ReplaceAll(command, "\x00", " ")
	program, _, _ := strings.Cut(command, " ")
	switch filepath.Base(program) {
	case "chromium":
		switch {
		case strings.Contains(command, "--type=renderer"):
			return "page"
		case strings.Contains(command, "--utility-sub-type=network"):
			return "network"
		case !strings.Contains(command, "--type="):
			return "browser"
		}
	case "radosgw", "ceph-osd":
		return "store"
	case "s3-sign-srv":
		return "server"
	}
	return "other"
}

// since returns what was added after before.
func (l ledger) since(before ledger) ledger {
	added := ledger{}
	for role, took := range l {
		added[role] = took - before[role]
	}
	return added
}
