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

// cpuTimes are the CPU times of the running processes, by role.
type cpuTimes map[string]time.Duration

// roles in the order in which they are printed. idle is that of the whole machine.
var roles = []string{"page", "browser", "network", "store", "server", "other", "idle"}

// readCPUTimes adds up the running processes. The times of processes that have exited are lost.
func readCPUTimes(t *testing.T) cpuTimes {
	t.Helper()
	all, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	var user, nice, system, idle, ioWait int // see proc(5)
	if _, err := fmt.Sscanf(string(all), "cpu %d %d %d %d %d", &user, &nice, &system, &idle, &ioWait); err != nil {
		t.Fatal(err)
	}
	times := cpuTimes{"idle": ticks(idle + ioWait)}
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is valid
	for _, dir := range processes {
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if s, err := readStat(filepath.Join(dir, "stat")); err == nil { // with an error, the process has exited
			times[roleOf(string(command))] += s.cpu
		}
	}
	return times
}

// roleOf is the role of a process with a command line, whose words end with zeros, or with spaces if the process has
// changed it, as Chromium's do.
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

// since is the difference from an earlier time.
func (times cpuTimes) since(before cpuTimes) cpuTimes {
	difference := cpuTimes{}
	for role, cpu := range times {
		difference[role] = cpu - before[role]
	}
	return difference
}
