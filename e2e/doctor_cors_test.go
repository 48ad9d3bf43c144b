//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestCORSCommand puts rules on a bucket, wide and narrow, and has doctor judge them. The command that doctor
// prints lets its page in, and nobody out.
func TestCORSCommand(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, s := range []*store{shared.radosgw, versity} {
		t.Run(s.name, func(t *testing.T) {
			setup := newDoctorSetup(t, s)
			if _, err := setup.client.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: &setup.name}); err != nil {
				t.Fatal(err)
			}
			var d doctorReport
			for _, step := range []struct {
				args    []string
				says    string
				healthy bool // afterwards, for a page at localhost:5000
			}{
				{[]string{"-dry-run"}, setup.name + " had no CORS rules.\nThey would become:", false},
				{nil, setup.name + " had no CORS rules.\nThey are now:", true},
				{[]string{"-origin", "https://app.example.org"}, "The rules of " + setup.name + " before:", false},
			} {
				setup.runCORS(t, step.args, step.says)
				d = setup.runDoctor(t)
				if d.Healthy != step.healthy {
					t.Errorf("after cors %q: %+v", step.args, d.with("failed"))
				}
			}
			_, args, reported := strings.Cut(d.of("cors preflights").Fix, "Run: "+shared.binary+" cors ")
			if !reported || !strings.Contains(args, "-origin https://app.example.org") {
				t.Fatalf("doctor does not say what to run: %+v", d.of("cors preflights"))
			}
			setup.runCORS(t, strings.Fields(args), "<AllowedHeader>x-amz-meta-dataset</AllowedHeader>")
			if d := setup.runDoctor(t); !d.Healthy {
				t.Errorf("after cors %s: %+v", args, d.with("failed"))
			}
		})
	}
}

// runCORS expects the command to end well and to say something.
func (setup *doctorSetup) runCORS(t *testing.T, args []string, says string) {
	t.Helper()
	cors, err := startProcess(setup.dir, setup.env.environment(), append([]string{shared.binary, "cors"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer cors.stop()
	code, err := cors.exitCode(15 * time.Second)
	if output := cors.output.String(); err != nil || code != 0 || !strings.Contains(output, says) {
		t.Errorf("cors %q: exit code %d, %v\n%s", args, code, err, output)
	}
}
