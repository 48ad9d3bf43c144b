//go:build !linux

package cli

import "syscall"

func childAttributes() *syscall.SysProcAttr { return nil }
