package sign

import (
	"fmt"
	"strings"
	"time"

	"s3-sign-srv/internal/apierror"
)

// malformed is the error for a request that breaks the grammar: it is none of the requests of an upload.
func malformed(text string) *apierror.Error { return apierror.New(apierror.BadRequest, text) }

// forbidden is the error for a well-formed request that must not be signed: another bucket, host, region, time,
// ACL or size.
func forbidden(text, actual, expected string) *apierror.Error {
	return apierror.New(apierror.Forbidden, text).WithDetail(actual, expected)
}

// configError is forbidden for a request that fails because page and server are configured differently.
func configError(text, actual, expected string) *apierror.Error {
	e := forbidden(text, actual, expected)
	e.Kind = apierror.KindSetup
	return e
}

// wrongVersion is the error for a request of the other signature version.
func wrongVersion(text, actual, expected string) *apierror.Error {
	e := malformed(text).WithDetail(actual, expected)
	e.Kind = apierror.KindSetup
	return e
}

// withRequest adds the description of the rejected request to err, which is an *apierror.Error.
func withRequest(err error, description string) error {
	return err.(*apierror.Error).WithRequest(description)
}

// notCanonical is the error for a text that differs from its rebuilt form. It shows both from shortly before the
// first difference.
func notCanonical(actual, expected string) *apierror.Error {
	const context = 20 // bytes before the first difference
	i := 0
	for i < min(len(actual), len(expected)) && actual[i] == expected[i] {
		i++
	}
	i = max(0, i-context)
	return malformed("The string to sign is not in canonical form; use an unmodified Fine Uploader.").
		WithDetail(actual[i:], expected[i:])
}

// checkTime rejects a request date outside S3's window; the message gives the difference.
func checkTime(at, now time.Time) error {
	drift := at.Sub(now)
	if drift.Abs() <= TimeWindow {
		return nil
	}
	return configError(
		fmt.Sprintf("The clock of the uploading computer is %s this server's, and S3 allows 15 minutes; "+
			"set that clock right, or request.clockDrift in client_conf.js.", describeDrift(drift)),
		at.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// describeDrift formats the difference between two clocks: "1 day ahead of", "20 minutes behind".
func describeDrift(d time.Duration) string {
	side := "ahead of"
	if d < 0 {
		side = "behind"
	}
	d = d.Abs().Round(time.Minute)
	var words []string
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		n := d / unit.size
		d -= n * unit.size
		switch {
		case n == 1:
			words = append(words, "1 "+unit.name)
		case n > 1:
			words = append(words, fmt.Sprintf("%d %ss", n, unit.name))
		}
	}
	return strings.Join(words, " ") + " " + side
}
