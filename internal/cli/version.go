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

// buildVersion describes this build.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{Main: debug.Module{Version: "of unknown origin"}}
	}
	return describeBuild(info)
}

// describeBuild returns the version, the commit and its date, and the platform. Go records the commit unless it builds
// without git or with -buildvcs=false.
func describeBuild(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := "commit unknown"
	if revision := settings["vcs.revision"]; revision != "" {
		commit = fmt.Sprintf("commit %.12s of %s", revision, settings["vcs.time"])
	}
	if settings["vcs.modified"] == "true" {
		commit += " with changes"
	}
	return fmt.Sprintf("%s, %s, %s, %s/%s", info.Main.Version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
