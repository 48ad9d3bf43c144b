package cli

import (
	"bytes"
	"errors"
	"testing"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/doctor"
)

// TestReportJSON reads the report back.
func TestReportJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	var out bytes.Buffer
	err := run(t.Context(), []string{"doctor", "-json"}, nil, nil, &out, nil)
	var report struct {
		Healthy bool             `json:"healthy"`
		Seconds float64          `json:"seconds"`
		Checks  []doctor.Finding `json:"checks"`
	}
	if err := json.Unmarshal(out.Bytes(), &report, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if !errors.Is(err, errUnhealthy{}) || report.Healthy || len(report.Checks) < 20 {
		t.Errorf("%v %+v", err, report)
	}
	if first := report.Checks[0]; first.Status != doctor.Failed || first.Fix == "" {
		t.Errorf("the first check is %+v", first)
	}
}

// TestCORSCommand returns commands that can be copied into a shell.
func TestCORSCommand(t *testing.T) {
	for envFile, want := range map[string]string{
		"": "bin/s3-sign-srv cors", "my_p3s3f.env": "bin/s3-sign-srv cors -env my_p3s3f.env",
		"it's mine.env": `bin/s3-sign-srv cors -env 'it'\''s mine.env'`,
	} {
		if got := corsCommand("bin/s3-sign-srv", envFile); got != want {
			t.Errorf("%s: %s", envFile, got)
		}
	}
}
