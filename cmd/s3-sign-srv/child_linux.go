package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startChild starts cmd and calls done when it has ended. The kernel kills it should this process be
// killed, and Ctrl-C in the terminal does not reach it: it is stopped after the server has finished.
func startChild(cmd *exec.Cmd, done func()) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig comes when the thread that started the child ends
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			done()
		}
	}()
	return <-started
}
