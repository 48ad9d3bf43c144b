package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

func runVersion(args []string, stdout io.Writer) error {
	if err := parseFlags(newFlags("version"), args, 0, stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, "s3-sign-srv", buildVersion())
	return err
}

// buildVersion describes the build: module version, revision, Go version and platform.
func buildVersion() string {
	parts := []string{"of unknown origin"}
	if info, ok := debug.ReadBuildInfo(); ok {
		parts[0] = info.Main.Version
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				parts = append(parts, "revision "+s.Value[:min(12, len(s.Value))])
			case s.Key == "vcs.modified" && s.Value == "true":
				parts = append(parts, "with changes")
			}
		}
	}
	return strings.Join(append(parts, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH), ", ")
}
