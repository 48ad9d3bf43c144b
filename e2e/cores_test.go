//go:build e2e && speed

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
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
	cpu := strings.Fields(string(all)) // "cpu user nice system idle iowait …", see proc(5)
	l := ledger{"idle": ticks(cpu[4]) + ticks(cpu[5])}
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is a good one
	for _, file := range processes {
		command, _ := os.ReadFile(file)
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])) // from the third on, see proc(5)
		l[roleOf(string(command))] += ticks(fields[14-3]) + ticks(fields[15-3])
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

// ticks reads a time of the kernel's accounts, which counts hundredths of a second.
func ticks(field string) time.Duration {
	n, _ := strconv.Atoi(field)
	return time.Duration(n) * 10 * time.Millisecond
}

// since returns what was added after before.
func (l ledger) since(before ledger) ledger {
	added := ledger{}
	for role, took := range l {
		added[role] = took - before[role]
	}
	return added
}
