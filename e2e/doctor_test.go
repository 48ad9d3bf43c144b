//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A doctorSetup is a setup to check: healthy when it is made, until a test changes something.
type doctorSetup struct {
	*bucket
	dir  string // static/, client_conf.js
	env  settings
	args []string // of doctor
}

// newDoctorSetup makes a setup that works, reached by name so that both styles of address do.
func newDoctorSetup(t *testing.T, s *store) *doctorSetup {
	t.Helper()
	b := newBucket(t, s)
	env := settingsFor(b, fmt.Sprintf("http://localhost:%d", s.port))
	env["P3S3F_OWN_UPLOADS_ONLY"] = "1"
	return &doctorSetup{bucket: b, dir: newWorkDir(t), env: env}
}

// A finding is one line of `doctor -json`.
type finding struct{ Check, Status, Text, Fix, Document string }

type doctorReport struct {
	Healthy bool
	Seconds float64
	Checks  []finding
}

// with returns the findings of a status.
func (d doctorReport) with(status string) (found []finding) {
	for _, f := range d.Checks {
		if f.Status == status {
			found = append(found, f)
		}
	}
	return found
}

// of returns the first finding of a check.
func (d doctorReport) of(check string) finding {
	i := slices.IndexFunc(d.Checks, func(f finding) bool { return f.Check == check })
	if i < 0 {
		return finding{Text: "there is no check " + check}
	}
	return d.Checks[i]
}

// runDoctor runs doctor, which must leave nothing in the bucket.
func (setup *doctorSetup) runDoctor(t *testing.T) doctorReport {
	t.Helper()
	d := setup.runDoctorOnly(t)
	setup.expectEmpty(t)
	return d
}

// runDoctorOnly runs doctor. It must tell by its exit code what it says, write nothing else, and keep the secret.
func (setup *doctorSetup) runDoctorOnly(t *testing.T) doctorReport {
	t.Helper()
	doctor, err := startProcess(
		setup.dir,
		setup.env.environment(),
		append([]string{shared.binary, "doctor", "-json"}, setup.args...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer doctor.stop()
	code, err := doctor.exitCode(80 * time.Second) // a minute for the checks, ten seconds to clean up
	if err != nil {
		t.Fatal(err)
	}
	output := doctor.output.String()
	var d doctorReport
	if err := json.Unmarshal([]byte(output), &d); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if (code == 0) != d.Healthy || code > 1 || d.Healthy != (d.with("failed") == nil) {
		t.Errorf("exit code %d, healthy %v\n%s", code, d.Healthy, output)
	}
	if strings.Contains(output, setup.secretKey) ||
		strings.Contains(output, setup.env["AWS_CLIENT_SECRET_KEY"]) && setup.env["AWS_CLIENT_SECRET_KEY"] != "" {
		t.Errorf("the secret key is shown\n%s", output)
	}
	return d
}

// expectEmpty looks for what doctor may have left, versions and unfinished uploads included.
func (setup *doctorSetup) expectEmpty(t *testing.T) {
	t.Helper()
	keys, err := setup.keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	uploads, err := setup.unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := setup.versions(t); len(keys)+len(uploads)+n > 0 {
		t.Errorf("left in the bucket: %q, %d uploads, %d versions", keys, len(uploads), n)
	}
}

// edit replaces old, which must be there, in a file of the working directory.
func (setup *doctorSetup) edit(t *testing.T, name, old, replacement string) {
	t.Helper()
	path := filepath.Join(setup.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", name, old)
	}
	writeFile(t, path, strings.Replace(string(text), old, replacement, 1))
}

// customConf writes static/client_conf.js as a user would, and changes old in it.
func (setup *doctorSetup) customConf(t *testing.T, old, replacement string) {
	t.Helper()
	copyFile(t, "../client_conf.js", filepath.Join(setup.dir, "static", "client_conf.js"))
	for placeholder, value := range map[string]string{
		`"https://BUCKET.HOST"`: fmt.Sprintf("%q", setup.env["AWS_ENDPOINT"]+"/"+setup.name),
		`"BUCKET"`:              fmt.Sprintf("%q", setup.name),
		`"HOST"`:                fmt.Sprintf("%q", strings.TrimPrefix(setup.env["AWS_ENDPOINT"], "http://")),
		`"ACCESSKEY"`:           fmt.Sprintf("%q", setup.accessKey),
	} {
		setup.edit(t, "static/client_conf.js", placeholder, value)
	}
	setup.edit(t, "static/client_conf.js", old, replacement)
}

// TestDoctorHealthy expects no false alarm in any combination of store, signature version and style.
func TestDoctorHealthy(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, test := range []struct {
		store          *store
		version, style string
	}{
		{shared.radosgw, "4", "path"},
		{shared.radosgw, "4", "virtual"},
		{shared.radosgw, "2", "path"},
		{shared.radosgw, "2", "virtual"},
		{versity, "4", "path"},
		{versity, "4", "virtual"},
	} {
		for _, conf := range []string{"made by the server", "the user's own"} {
			t.Run(
				fmt.Sprintf("%s V%s %s, client_conf.js %s", test.store.name, test.version, test.style, conf),
				func(t *testing.T) {
					setup := newDoctorSetup(t, test.store)
					setup.env["P3S3F_SIGNATURE_VERSION"], setup.env["P3S3F_ADDRESSING"] = test.version, test.style
					if conf == "the user's own" {
						setup.customConf(t, "version: 4", "version: "+test.version)
					}
					d := setup.runDoctor(t)
					for _, f := range d.with("failed") {
						t.Errorf("false alarm: %+v", f)
					}
					expectWarnings(t, d, test.store, test.version)
					if d.Seconds > 10 {
						t.Errorf("took %.1f s", d.Seconds)
					}
					t.Logf("%.1f s", d.Seconds)
				},
			)
		}
	}
}

// expectWarnings allows the two that are true here: old radosgw obeys unsigned headers under V4, and other
// tests have buckets of their own.
func expectWarnings(t *testing.T, d doctorReport, s *store, version string) {
	t.Helper()
	unsigned := false
	for _, f := range d.with("warning") {
		switch f.Check {
		case "unsigned headers":
			unsigned = true
		case "permissions":
		default:
			t.Errorf("false alarm: %+v", f)
		}
	}
	if want := s.obeysUnsigned && version == "4"; unsigned != want {
		t.Errorf("warning of unsigned headers: %v, want %v", unsigned, want)
	}
}

// expectOnly expects the one fault named, with its fix, and no other.
func (d doctorReport) expectOnly(t *testing.T, check, fix string) {
	t.Helper()
	failed := d.with("failed")
	others := slices.ContainsFunc(failed, func(f finding) bool { return f.Check != check })
	named := slices.ContainsFunc(
		failed,
		func(f finding) bool { return f.Check == check && strings.Contains(f.Text+" "+f.Fix, fix) },
	)
	if !named || others {
		t.Errorf("want %s alone, with %q; got", check, fix)
		for _, f := range failed {
			t.Errorf("  %s: %s → %s", f.Check, f.Text, f.Fix)
		}
	}
	for _, f := range failed {
		if f.Fix == "" {
			t.Errorf("%s has no fix: %s", f.Check, f.Text)
		}
	}
}
