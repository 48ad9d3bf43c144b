package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

func runVersion(args []string, stdout io.Writer) error {
	if _, err := parseFlags("version", args, 0, stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, "s3-sign-srv", buildVersion())
	return err
}

// buildVersion describes the build. A module version that Go makes from git ends in the revision, and in +dirty if
// files were changed.
func buildVersion() string {
	version := "of unknown origin"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	return fmt.Sprintf("%s, %s, %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
