package cli

import "syscall"

// childAttributes let the kernel kill a child when this process is killed, and keep Ctrl-C in the terminal from it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
