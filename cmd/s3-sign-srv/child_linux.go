package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startChild starts cmd and calls done when it has ended. The kernel kills it if this process is
// killed, and Ctrl-C in the terminal does not reach it: the server stops it after its own end.
func startChild(cmd *exec.Cmd, done func()) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig is sent when the thread that started the child ends
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			done()
		}
	}()
	return <-started
}
