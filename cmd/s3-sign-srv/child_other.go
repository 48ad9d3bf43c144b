//go:build !linux

package main

import "os/exec"

// startChild starts cmd and calls done when it has ended.
func startChild(cmd *exec.Cmd, done func()) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		cmd.Wait()
		done()
	}()
	return nil
}
