package doctor

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"s3-sign-srv/internal/config"
)

func TestBundle(t *testing.T) {
	for _, test := range []struct {
		name, script string
		status       Status
		want         string
	}{
		{"none", "", Failed, "does not exist"},
		{"right", "// Fine Uploader 5.16.2 - MIT licensed.\n", OK, "5.16.2"},
		{"for old Ceph", "// Fine Uploader 5.16.2 - MIT\nreturn a.getFile(b).type || \"application/octet-stream\"", OK,
			"workaround"},
		{"old", "// Fine Uploader 5.14.4 - MIT licensed.\n", Failed, "not Fine Uploader 5.16.2"},
		{"longer version", "// Fine Uploader 5.16.20 - MIT\n", Failed, "not Fine Uploader 5.16.2"},
		{"something else", "<!doctype html>", Failed, "not Fine Uploader 5.16.2"},
	} {
		r := testRun(t, "", "")
		if test.script != "" {
			r.cfg.Files = fstest.MapFS{bundleFile: {Data: []byte(test.script)}}
		}
		result := r.checkBundle(t.Context())[0]
		if result.Status != test.status || !strings.Contains(result.Text, test.want) {
			t.Errorf("%s: %+v", test.name, result)
		}
	}
}

// TestServer checks what is said about a server that does not start.
func TestServer(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		status Status
		fix    string
	}{
		{"starts", nil, OK, ""},
		{"a hook's error", errors.New("hooks: no database; set APP_DATABASE"), Failed, "Set APP_DATABASE."},
		{"an error without advice", errors.New("hooks: no database"), Failed, "Correct what the message says."},
	} {
		r := testRun(t, "", "")
		r.cfg.Start = func(config.Config) error { return test.err }
		if result := r.checkServer(t.Context())[0]; result.Status != test.status || result.Fix != test.fix {
			t.Errorf("%s: %+v", test.name, result)
		}
	}
}

// TestAPIOnly checks that without a page its files are not checked.
func TestAPIOnly(t *testing.T) {
	r := testRun(t, "", "", "P3S3F_SERVE_PAGE=0")
	if result := r.checkBundle(t.Context())[0]; result.Status != Skipped || !strings.Contains(result.Text, "API only") {
		t.Errorf("%+v", result)
	}
}
