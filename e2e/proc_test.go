//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// descendants returns the processes below pid, as /proc lists them.
func descendants(pid int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		child, err := readStat(file)
		if err == nil && child.parent == pid {
			pids = append(append(pids, child.pid), descendants(child.pid)...)
		}
	}
	return pids
}

// A procStat is the kernel's information about a process or a thread.
type procStat struct {
	pid, parent int
	state       string        // "S": sleeping, "Z": a zombie; see proc(5)
	cpu         time.Duration // used so far
}

// readStat reads "PID (NAME) STATE PPID …". The name may contain spaces and parentheses.
func readStat(file string) (procStat, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return procStat{}, err
	}
	pid, _, _ := strings.Cut(string(b), " ")
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:])) // from the third on
	if len(fields) <= 15-3 {
		return procStat{}, fmt.Errorf("%s holds %q", file, b)
	}
	number := func(text string) int {
		n, e := strconv.Atoi(text)
		err = errors.Join(err, e)
		return n
	}
	s := procStat{pid: number(pid), parent: number(fields[4-3]), state: fields[0]}
	s.cpu = ticks(number(fields[14-3]) + number(fields[15-3]))
	return s, err
}

// ticks converts the kernel's CPU times, which are in hundredths of a second.
func ticks(n int) time.Duration { return time.Duration(n) * 10 * time.Millisecond }

// alive reports whether pid still runs; a zombie does not.
func alive(pid int) bool {
	s, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && s.state != "Z"
}

// isIdle reports whether every thread of pid sleeps.
func isIdle(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return !slices.ContainsFunc(threads, func(file string) bool {
		s, err := readStat(file)
		return err == nil && s.state != "S" // with an error, the thread has exited
	})
}
