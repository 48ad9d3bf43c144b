package doctor

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOrder wants each check to stand on earlier ones only.
func TestOrder(t *testing.T) {
	seen := []string{storeAnswers}
	for _, c := range examOf(t, "", "").checks() {
		for _, need := range c.needs {
			if !slices.Contains(seen, need) {
				t.Errorf("%s needs %s, which does not come before it", c.Name, need)
			}
		}
		if slices.Contains(seen, c.Name) {
			t.Errorf("there are two checks %s", c.Name)
		}
		seen = append(seen, c.Name)
	}
}

// TestDocumentedChecks holds the table in docs/stores.md against the code.
func TestDocumentedChecks(t *testing.T) {
	document, err := os.ReadFile("../../docs/stores.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(document), "| line | question | a fault usually is |\n| --- | --- | --- |\n")
	var want strings.Builder
	for _, c := range Checks() {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", c.Name, c.Question, c.LikelyCause)
	}
	if !strings.HasPrefix(table, want.String()+"\n") {
		t.Errorf("docs/stores.md should have\n%s", &want)
	}
}

// TestSettingsFaults tells every fault with its fix, and asks no store.
func TestSettingsFaults(t *testing.T) {
	cfg := examOf(t, "", "", "AWS_CLIENT_SECRET_KEY=XXXX", "AWS_ENDPOINT=", "P3S3F_USE_HTTPS=1").cfg
	var faults []Finding
	healthy := Run(t.Context(), cfg, func(f Finding) {
		if f.Status == Failed && f.Check == "settings" {
			faults = append(faults, f)
		} else if slices.Contains([]string{"endpoint", "keys", "page", "clean-up"}, f.Check) && f.Status != Skipped {
			t.Errorf("%+v", f)
		}
	})
	if healthy || len(faults) != 4 {
		t.Errorf("%v %+v", healthy, faults)
	}
	for _, f := range faults {
		if f.Fix == "" || strings.Contains(f.Text, "\n") {
			t.Errorf("%+v", f)
		}
	}
}

// TestRunCheck says why a check was not run.
func TestRunCheck(t *testing.T) {
	good := check{Check{Name: "b"}, []string{"a"}, func(context.Context) []Result { return ok("good") }}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for _, test := range []struct {
		name   string
		ctx    context.Context
		stuck  map[string]string
		status Status
		want   string
	}{
		{"runs", t.Context(), map[string]string{}, OK, "good"},
		{"waits for the root", t.Context(), map[string]string{"a": "root"}, Skipped, "waits for: root"},
		{"Ctrl-C", interrupted, map[string]string{}, Skipped, "interrupted"},
		{"no time left", late, map[string]string{}, Failed, "not begun within 60 seconds"},
	} {
		got := runCheck(test.ctx, good, test.stuck)
		if len(got) != 1 || got[0].Status != test.status || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%s: %+v", test.name, got)
		}
		if stuck := test.stuck["b"] != ""; stuck != (test.status != OK) {
			t.Errorf("%s: %v", test.name, test.stuck)
		}
	}
}

// TestTooSlow has a check that waits until its time is up.
func TestTooSlow(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wait := check{Check{Name: "wait"}, nil, func(ctx context.Context) []Result {
		<-ctx.Done()
		return failed("does not work", "Do what has nothing to do with it.")
	}}
	stuck := map[string]string{}
	if got := runCheck(ctx, wait, stuck); got[0].Status != Failed || !strings.Contains(got[0].Text, "the store is too slow") {
		t.Errorf("%+v", got)
	}
	next := check{Check{Name: "next"}, []string{storeAnswers}, func(context.Context) []Result { return ok("good") }}
	if got := runCheck(ctx, next, stuck); got[0].Status != Skipped || got[0].BlockedBy != storeAnswers {
		t.Errorf("%+v", got)
	}
}

// TestPolicy gives the key what the settings need and no more.
func TestPolicy(t *testing.T) {
	for _, test := range []struct{ env, without, with string }{
		{"", "PutObjectAcl", `"s3:DeleteObject"`},
		{"P3S3F_ALLOW_DELETE=0", "s3:DeleteObject", `"s3:PutObject"`},
		{"P3S3F_VERIFY_SUCCESS=0", "nothing", `"s3:GetObject"`}, // the page's list needs it
		{"P3S3F_OWN_UPLOADS_ONLY=0", "s3:ListBucket", `"arn:aws:s3:::mybucket/*"`},
		{"P3S3F_ALLOWED_ACLS=public-read", "nothing", `"s3:PutObjectAcl"`},
	} {
		got := examOf(t, "", "", test.env).policy()
		if strings.Contains(got, test.without) || !strings.Contains(got, test.with) {
			t.Errorf("%s:\n%s", test.env, got)
		}
	}
}
