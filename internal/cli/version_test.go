package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestDescribeBuild describes builds of a clean and of a changed folder, and one without git.
func TestDescribeBuild(t *testing.T) {
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: "989cdc8f0123456789abcdef0123456789abcdef"},
			{Key: "vcs.time", Value: "2026-11-28T01:35:00Z"}, {Key: "vcs.modified", Value: modified}}
	}
	for _, test := range []struct {
		name, version string
		settings      []debug.BuildSetting
		want          string
	}{
		{"a release", "v0.1.0", vcs("false"), "v0.1.0, commit 989cdc8f0123 of 2026-11-28T01:35:00Z"},
		{"changed files", "v0.1.0+dirty", vcs("true"),
			"v0.1.0+dirty, commit 989cdc8f0123 of 2026-11-28T01:35:00Z with changes"},
		{"without git", "(devel)", nil, "(devel), commit unknown"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: test.version}, Settings: test.settings}
		want := fmt.Sprintf("%s, %s, %s/%s", test.want, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		if got := describeBuild(info); got != want {
			t.Errorf("%s: %s, want %s", test.name, got, want)
		}
	}
}
