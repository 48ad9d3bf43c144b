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

// TestOrder checks that each check needs only earlier ones.
func TestOrder(t *testing.T) {
	seen := []string{storeResponds}
	for _, c := range testRun(t, "", "").checks() {
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
	_, table, _ := strings.Cut(string(document), "| check | question | likely cause of a failure |\n| --- | --- | --- |\n")
	var want strings.Builder
	for _, c := range Checks() {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", c.Name, c.Question, c.LikelyCause)
	}
	if !strings.HasPrefix(table, want.String()+"\n") {
		t.Errorf("docs/stores.md should have\n%s", &want)
	}
}

// TestInvalidSettings checks that each invalid setting is reported with its fix, and nothing is sent to the store.
func TestInvalidSettings(t *testing.T) {
	cfg := testRun(t, "", "", "AWS_CLIENT_SECRET_KEY=XXXX", "AWS_ENDPOINT=", "P3S3F_USE_HTTPS=1").cfg
	var reported []Finding
	healthy := Run(t.Context(), cfg, func(f Finding) {
		needSettings := slices.Contains([]string{"endpoint", "keys", "clean-up"}, f.Check)
		switch {
		case f.Status == Failed && f.Check == "settings":
			reported = append(reported, f)
		case needSettings && f.Status != Skipped:
			t.Errorf("%+v", f)
		}
	})
	if healthy || len(reported) != 4 {
		t.Errorf("%v %+v", healthy, reported)
	}
	for _, f := range reported {
		if f.Fix == "" || strings.Contains(f.Text, "\n") {
			t.Errorf("%+v", f)
		}
	}
}

// TestRunCheck checks why a check is not run.
func TestRunCheck(t *testing.T) {
	good := check{Check{Name: "b"}, []string{"a"}, func(context.Context) []Result { return ok("good") }}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for _, test := range []struct {
		name    string
		ctx     context.Context
		blocked map[string]string
		status  Status
		want    string
	}{
		{"runs", t.Context(), map[string]string{}, OK, "good"},
		{"blocked by the root", t.Context(), map[string]string{"a": "root"}, Skipped, "blocked by: root"},
		{"Ctrl-C", interrupted, map[string]string{}, Skipped, "interrupted"},
		{"no time left", late, map[string]string{}, Failed, "it is too slow"},
	} {
		got := runCheck(test.ctx, good, test.blocked)
		if len(got) != 1 || got[0].Status != test.status || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%s: %+v", test.name, got)
		}
		if blocked := test.blocked["b"] != ""; blocked != (test.status != OK) {
			t.Errorf("%s: %v", test.name, test.blocked)
		}
	}
}

// TestTooSlow runs a check that waits until its time is up.
func TestTooSlow(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wait := check{Check{Name: "wait"}, nil, func(ctx context.Context) []Result {
		<-ctx.Done()
		return failed("does not work", "Change something else.")
	}}
	blocked := map[string]string{}
	if got := runCheck(ctx, wait, blocked); got[0].Status != Failed || !strings.Contains(got[0].Text, "it is too slow") {
		t.Errorf("%+v", got)
	}
	next := check{Check{Name: "next"}, []string{storeResponds}, func(context.Context) []Result { return ok("good") }}
	if got := runCheck(ctx, next, blocked); got[0].Status != Skipped || got[0].BlockedBy != storeResponds {
		t.Errorf("%+v", got)
	}
}

// TestPolicy checks that the policy has what the settings need and no more.
func TestPolicy(t *testing.T) {
	for _, test := range []struct{ env, without, with string }{
		{"", "PutObjectAcl", `"s3:DeleteObject"`},
		{"P3S3F_ALLOW_DELETE=0", "s3:DeleteObject", `"s3:PutObject"`},
		{"P3S3F_VERIFY_SUCCESS=0", "nothing", `"s3:GetObject"`}, // the page's list needs it
		{"P3S3F_OWN_UPLOADS_ONLY=0", "s3:ListBucket", `"arn:aws:s3:::mybucket/*"`},
		{"P3S3F_ALLOWED_ACLS=public-read", "nothing", `"s3:PutObjectAcl"`},
	} {
		got := testRun(t, "", "", test.env).policy()
		if strings.Contains(got, test.without) || !strings.Contains(got, test.with) {
			t.Errorf("%s:\n%s", test.env, got)
		}
	}
}
