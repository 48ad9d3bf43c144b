//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestDoctorFinds makes one mistake at a time, and expects the doctor to report it with its fix, and no other.
func TestDoctorFinds(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, on := range []struct {
		store  *store
		setups []brokenSetup
	}{
		{shared.radosgw, append(commonBrokenSetups(), radosgwBrokenSetups()...)},
		{versity, slices.Concat(commonBrokenSetups(), versitygwBrokenSetups(), localBrokenSetups())},
	} {
		t.Run(on.store.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range on.setups {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					setup := newDoctorSetup(t, on.store)
					f.apply(t, setup)
					d := setup.runDoctor(t)
					d.expectOnly(t, f.check, f.text)
					if d.Seconds > 30 {
						t.Errorf("took %.1f s", d.Seconds)
					}
				})
			}
		})
	}
}

// TestDoctorWarns makes changes that work and should be different.
func TestDoctorWarns(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, w := range []brokenSetup{
		{
			"a store that only this computer reaches",
			set("P3S3F_HOST_NAME", "0.0.0.0"),
			"browsers",
			"on other computers look for http://localhost:",
		},
		{"a store that only this computer reaches, behind a proxy", func(t *testing.T, setup *doctorSetup) {
			setup.args = []string{"-origin", "https://uploads.example.org"}
		}, "browsers", "Set AWS_ENDPOINT to an address of the store that they can reach"},
		{"an https page and a store on this computer", func(t *testing.T, setup *doctorSetup) {
			setup.args = []string{"-origin", "https://localhost:5000"}
		}, "browsers", "Safari does not let https pages send to http://localhost:"},
		{
			"a signing address below another path",
			edit("client_conf.js", `"/s3/sign"`, `"/uploads/s3/sign"`),
			"client_conf.js",
			"Make sure that a proxy removes the prefix",
		},
		{
			"a signing address elsewhere",
			edit("client_conf.js", `"/s3/sign"`, `"https://sign.example.org/s3/sign"`),
			"client_conf.js",
			"doctor does not know whether requests to it reach this server",
		},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			setup := newDoctorSetup(t, versity)
			w.apply(t, setup)
			d := setup.runDoctor(t)
			named := slices.ContainsFunc(
				d.with("warning"),
				func(f finding) bool { return f.Check == w.check && strings.Contains(f.Text+" "+f.Fix, w.text) },
			)
			if !d.Healthy || !named {
				t.Errorf("want a warning at %s with %q, got %+v; %+v", w.check, w.text, d.with("warning"), d.with("failed"))
			}
		})
	}
}

// TestDoctorNoFalseAlarm has setups that are unusual and work.
func TestDoctorNoFalseAlarm(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, s := range []*store{shared.radosgw, versity} {
		for name, apply := range map[string]func(*testing.T, *doctorSetup){
			"headers that Fine Uploader does not rename": func(t *testing.T, setup *doctorSetup) {
				setup.edit(t, "client_conf.js", "dataset:",
					`"Cache-Control": "no-store", "Content-Disposition": "attachment", n: 5, dataset:`)
				if setup.store == shared.radosgw { // it drops them from forms
					setup.edit(t, "client_conf.js", "mandatory: false", "mandatory: true")
				}
			},
			"pages of many origins": func(_ *testing.T, setup *doctorSetup) {
				var sites []string
				for i := range 40 {
					sites = append(sites, fmt.Sprintf("https://app%d.example.org", i))
				}
				setup.env["P3S3F_ALLOWED_ORIGINS"] = strings.Join(sites, ",")
			},
			"page and store on one origin, without CORS rules": func(t *testing.T, setup *doctorSetup) {
				withoutRules(t, setup)
				setup.args = []string{"-origin", setup.env["AWS_ENDPOINT"]}
			},
			"files of three bytes at most": set("P3S3F_MAX_BYTES", "3"),
			"images only":                  set("P3S3F_ALLOWED_TYPES", "image/*"),
			"a store without forms, and chunking.mandatory": func(t *testing.T, setup *doctorSetup) {
				setup.edit(t, "client_conf.js", "mandatory: false", "mandatory: true")
				rejecting(http.StatusNotImplemented, isForm)(t, setup)
			},
			"a proxy that lets only the bucket through": rejecting(
				http.StatusNotFound,
				func(r *http.Request, _ []byte) bool { return r.URL.Path == "/" },
			),
		} {
			t.Run(s.name+" "+name, func(t *testing.T) {
				t.Parallel()
				setup := newDoctorSetup(t, s)
				apply(t, setup)
				for _, f := range setup.runDoctor(t).with("failed") {
					t.Errorf("false alarm: %+v", f)
				}
			})
		}
	}
}

// brokenSetup is a setup with one mistake.
type brokenSetup struct {
	name  string
	apply func(*testing.T, *doctorSetup)
	check string // that must name it
	text  string // in its text or its fix
}

// set changes one setting.
func set(name, value string) func(*testing.T, *doctorSetup) {
	return func(_ *testing.T, setup *doctorSetup) { setup.env[name] = value }
}

// conf changes one thing in the user's own client_conf.js.
func conf(old, replacement string) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) { setup.customConf(t, old, replacement) }
}

// cors puts rules on the bucket. What a rule does not set is as in basic_cors.xml.
func cors(rules ...types.CORSRule) func(*testing.T, *doctorSetup) {
	or := func(list *[]string, shipped ...string) {
		if *list == nil {
			*list = shipped
		}
	}
	return func(t *testing.T, setup *doctorSetup) {
		all := slices.Clone(rules)
		for i := range all {
			or(&all[i].AllowedOrigins, "*")
			or(&all[i].AllowedMethods, "POST", "PUT", "DELETE")
			or(&all[i].AllowedHeaders, "*")
			or(&all[i].ExposeHeaders, "ETag")
		}
		put := &s3.PutBucketCorsInput{Bucket: &setup.name, CORSConfiguration: &types.CORSConfiguration{CORSRules: all}}
		if _, err := setup.client.PutBucketCors(t.Context(), put); err != nil {
			t.Fatal(err)
		}
	}
}

// withoutRules deletes the bucket's CORS rules.
func withoutRules(t *testing.T, setup *doctorSetup) {
	if _, err := setup.client.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: &setup.name}); err != nil {
		t.Fatal(err)
	}
}

func remove(name string) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) {
		if err := os.RemoveAll(filepath.Join(setup.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func edit(name, old, replacement string) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) { setup.edit(t, name, old, replacement) }
}
