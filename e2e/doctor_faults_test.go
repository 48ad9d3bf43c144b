//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// A fault is one thing wrong in a set-up.
type fault struct {
	name  string
	seed  func(*testing.T, *patient)
	check string // that must name it
	words string // in its text or its fix
}

// set changes one variable.
func set(name, value string) func(*testing.T, *patient) {
	return func(_ *testing.T, p *patient) { p.env[name] = value }
}

// conf changes one thing in the user's own client_conf.js.
func conf(old, replacement string) func(*testing.T, *patient) {
	return func(t *testing.T, p *patient) { p.ownConf(t, old, replacement) }
}

// cors puts rules on the bucket; their members are the shipped ones but for those that are set.
func cors(rules ...types.CORSRule) func(*testing.T, *patient) {
	or := func(list *[]string, shipped ...string) {
		if *list == nil {
			*list = shipped
		}
	}
	return func(t *testing.T, p *patient) {
		all := slices.Clone(rules)
		for i := range all {
			or(&all[i].AllowedOrigins, "*")
			or(&all[i].AllowedMethods, "POST", "PUT", "DELETE")
			or(&all[i].AllowedHeaders, "*")
			or(&all[i].ExposeHeaders, "ETag")
		}
		put := &s3.PutBucketCorsInput{Bucket: &p.name, CORSConfiguration: &types.CORSConfiguration{CORSRules: all}}
		if _, err := p.client.PutBucketCors(t.Context(), put); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(name string) func(*testing.T, *patient) {
	return func(t *testing.T, p *patient) {
		if err := os.RemoveAll(filepath.Join(p.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func edit(name, old, replacement string) func(*testing.T, *patient) {
	return func(t *testing.T, p *patient) { p.edit(t, name, old, replacement) }
}

// commonFaults are those that every store can have.
func commonFaults() []fault {
	narrow := []string{
		"authorization",
		"content-type",
		"x-amz-acl",
		"x-amz-date",
		"x-amz-meta-qqfilename",
		"x-amz-meta-dataset",
	}
	return []fault{
		{"another bucket in the host", func(_ *testing.T, p *patient) {
			p.env["AWS_ENDPOINT"] = strings.Replace(p.env["AWS_ENDPOINT"], "localhost", "other.localhost", 1)
		}, "endpoint", "Set AWS_ENDPOINT=http://localhost:"},
		{"a proxy that changes the host", renamed("127.0.0.1"), "keys", "proxy_set_header Host"},
		{
			"the bucket in capitals",
			func(_ *testing.T, p *patient) { p.env["AWS_DEST_BUCKET"] = strings.ToUpper(p.name) },
			"bucket",
			"e2e-",
		},
		{
			"a proxy that refuses DELETE",
			refuses(http.StatusMethodNotAllowed, withMethod(http.MethodDelete)),
			"upload permission",
			"must forward DELETE",
		},
		{"forms that hang", silent(isForm), "signatures", "responds, but not to this request within 10s"},
		{"a proxy that refuses forms", refuses(http.StatusForbidden, isForm), "signatures", "must forward POST"},
		{
			"a proxy that limits bodies",
			refuses(http.StatusRequestEntityTooLarge, isLarge),
			"multipart upload",
			"client_max_body_size",
		},
		{"a store that is full", gated(func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
			full := len(body) > 1<<20
			if full {
				w.WriteHeader(http.StatusInsufficientStorage)
				io.WriteString(w, "<Error><Code>XMinioStorageFull</Code></Error>")
			}
			return full
		}), "multipart upload", "Make room"},
		{"clock", between(func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(20*time.Minute+10*time.Second).UTC().Format(http.TimeFormat))
			return nil
		}), "clock", "behind the store's, and S3 allows 15 minutes"},
		{"old Ceph, which wants a content type", gated(oldCeph), "no MIME type", "make static CEPH=1"},
		{"a proxy that loses metadata", strip("X-Amz-Meta-Dataset"), "look-up", "x-amz-meta-dataset"},
		{"unknown access key", set("AWS_CLIENT_ACCESS_KEY", "E2ENOBODY00000000000"), "keys", "AWS_CLIENT_ACCESS_KEY"},
		{"wrong secret key", set("AWS_CLIENT_SECRET_KEY", "wrong/secret/key/0123456789"), "keys", "AWS_CLIENT_SECRET_KEY"},
		{"no such bucket", set("AWS_DEST_BUCKET", "e2e-nowhere"), "bucket", "AWS_DEST_BUCKET"},
		{"no CORS rules", func(t *testing.T, p *patient) {
			if _, err := p.client.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: &p.name}); err != nil {
				t.Fatal(err)
			}
		}, "cors preflights", "s3-sign-srv cors"},
		{
			"CORS for another site",
			cors(types.CORSRule{AllowedOrigins: []string{"https://example.org"}}),
			"cors preflights",
			"no CORS rule for pages from http://localhost:5000, only for https://example.org (form, initiate, part, complete, " +
				"abort) Run: " + shared.binary + " cors -origin http://localhost:5000 -origin https://example.org",
		},
		{"CORS for one of two sites", func(t *testing.T, p *patient) {
			cors(types.CORSRule{AllowedOrigins: []string{"http://localhost:5000"}})(t, p)
			p.env["P3S3F_ALLOWED_ORIGINS"] = "https://app.example.org"
		}, "cors preflights", "no CORS rule for pages from https://app.example.org"},
		{
			"CORS without POST",
			cors(types.CORSRule{AllowedMethods: []string{"PUT", "DELETE"}}),
			"cors preflights",
			"the method POST is not allowed (form, initiate, complete)",
		},
		{
			"CORS without PUT",
			cors(types.CORSRule{AllowedMethods: []string{"POST", "DELETE"}}),
			"cors preflights",
			"the method PUT is not allowed (part)",
		},
		{
			"CORS without DELETE",
			cors(types.CORSRule{AllowedMethods: []string{"POST", "PUT"}}),
			"cors preflights",
			"the method DELETE is not allowed (abort)",
		},
		{
			"CORS without a header of version 4",
			cors(types.CORSRule{AllowedHeaders: narrow}),
			"cors preflights",
			"the header x-amz-content-sha256 is not allowed",
		},
		{
			"CORS without a parameter of the page",
			cors(types.CORSRule{AllowedHeaders: append(narrow[:5:5], "x-amz-content-sha256")}),
			"cors preflights",
			"the header x-amz-meta-dataset is not allowed (initiate)",
		},
		{"CORS without a header that Fine Uploader does not rename", func(t *testing.T, p *patient) {
			p.edit(t, "client_conf.js", "dataset:", `"Cache-Control": "no-store", dataset:`)
			cors(types.CORSRule{AllowedHeaders: append(narrow[:6:6], "x-amz-content-sha256")})(t, p)
		}, "cors preflights", "the header cache-control is not allowed (initiate)"},
		{"CORS for another site, by a key that may not see the rules", func(t *testing.T, p *patient) {
			cors(types.CORSRule{AllowedOrigins: []string{"https://example.org"}})(t, p)
			gated(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				hidden := r.URL.Query().Has("cors")
				if hidden {
					w.WriteHeader(http.StatusForbidden)
					io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
				}
				return hidden
			})(t, p)
		}, "cors preflights", "no CORS rule for pages from http://localhost:5000 (form, initiate, part, complete, abort) " +
			"Run: " + shared.binary + " cors -origin http://localhost:5000"},
		{
			"a proxy that answers preflights",
			refuses(http.StatusMethodNotAllowed, withMethod(http.MethodOptions)),
			"cors preflights",
			"responds to OPTIONS itself (status 405) (form, initiate, part, complete, abort) It must forward OPTIONS",
		},
		{"a proxy that adds what the store sends already", between(func(r *http.Response) error {
			r.Header.Add("Access-Control-Allow-Origin", "*")
			return nil
		}), "cors preflights", "has Access-Control-Allow-Origin twice"},
		{"a proxy that lets no page in", between(func(r *http.Response) error {
			r.Header.Set("Access-Control-Allow-Origin", "null")
			return nil
		}), "cors preflights", "the response is for pages from null"},
		{
			"preflights that hang",
			silent(withMethod(http.MethodOptions)),
			"cors preflights",
			"responds, but not to this request within 10s",
		},
		{"a proxy that weakens the ETag", between(func(r *http.Response) error {
			if etag := r.Header.Get("ETag"); etag != "" {
				r.Header.Set("ETag", "W/"+etag)
			}
			return nil
		}), "cors answers", "has the weak ETag W/"},
		{"a proxy that refuses HEAD", refuses(http.StatusForbidden, func(r *http.Request, _ []byte) bool {
			return r.Method == http.MethodHead && strings.Count(r.URL.Path, "/") > 1
		}), "look-up", "must forward HEAD"},
		{"a proxy that takes the ETag out", strip("ETag"), "cors answers", "Look for a proxy that removes the ETag"},
		{
			"a proxy that hides the ETag",
			strip("Access-Control-Expose-Headers"),
			"cors answers",
			"although the bucket's rules expose it",
		},
		{
			"a proxy that hides whom the answer is for",
			stripAnswers("Access-Control-Allow-Origin"),
			"cors answers",
			"Look for a proxy",
		},
		{"a proxy that hides whom one answer is for", between(func(r *http.Response) error {
			if r.Request.Method == http.MethodPost && r.Request.URL.Query().Has("uploadId") {
				r.Header.Del("Access-Control-Allow-Origin")
			}
			return nil
		}), "cors answers", "may not read the response (complete)"},
	}
}

// ownFaults are those that no store has a part in.
func ownFaults() []fault {
	return []fault{
		{"secret key left as shipped", set("AWS_CLIENT_SECRET_KEY", "XXXXXXXX"), "settings", "AWS_CLIENT_SECRET_KEY"},
		{
			"documents' placeholder",
			set("AWS_CLIENT_ACCESS_KEY", "YOUR-ACCESS-KEY"),
			"settings",
			"AWS_CLIENT_ACCESS_KEY still is the placeholder",
		},
		{"the two keys swapped", func(_ *testing.T, p *patient) {
			p.env["AWS_CLIENT_ACCESS_KEY"], p.env["AWS_CLIENT_SECRET_KEY"] = p.secretKey, p.accessKey
		}, "settings", "if the two are swapped"},
		{"no endpoint", set("AWS_ENDPOINT", ""), "settings", "AWS_ENDPOINT"},
		{
			"bucket in the endpoint",
			func(_ *testing.T, p *patient) { p.env["AWS_ENDPOINT"] += "/" + p.name },
			"settings",
			"AWS_ENDPOINT has a path",
		},
		{"https without a certificate", set("P3S3F_USE_HTTPS", "1"), "settings", "P3S3F_SRV_CRT"},
		{"certificate and key of two pairs", httpsPair(certificate{}, true), "https", "P3S3F_SRV_KEY"},
		{"expired certificate", httpsPair(certificate{expired: true}, false), "https", "Renew"},
		{"certificate that is not valid yet", httpsPair(certificate{future: true}, false), "https", "clock right"},
		{"the bucket in capitals in the host", func(_ *testing.T, p *patient) {
			p.env["AWS_ENDPOINT"] = strings.Replace(p.env["AWS_ENDPOINT"], "localhost", strings.ToUpper(p.name)+".localhost", 1)
		}, "settings", "AWS_ENDPOINT begins with the bucket's name"},
		{"nobody listens", closedPort, "endpoint", "nothing listens"},
		{"unknown host name", set("AWS_ENDPOINT", "http://nowhere.invalid"), "endpoint", "nowhere.invalid"},
		{"https at an http store", func(_ *testing.T, p *patient) {
			p.env["AWS_ENDPOINT"] = strings.Replace(p.env["AWS_ENDPOINT"], "http:", "https:", 1)
		}, "endpoint", "https"},
		{
			"store with a certificate of its own making",
			front(certificate{}, false),
			"endpoint",
			"this computer does not trust its issuer",
		},
		{"store with an expired certificate", front(certificate{expired: true}, true), "endpoint", "expired"},
		{
			"store with another's certificate",
			front(certificate{host: "s3.example.org"}, true),
			"endpoint",
			"it is not for localhost",
		},
		{"store whose certificate is not valid yet", front(certificate{future: true}, true), "endpoint", "clock says"},
		{"https that hangs", func(t *testing.T, p *patient) {
			hangs(t, p)
			p.env["AWS_ENDPOINT"] = strings.Replace(p.env["AWS_ENDPOINT"], "http:", "https:", 1)
		}, "endpoint", "did not respond within 10s"},
		{"a proxy that nobody runs", func(_ *testing.T, p *patient) {
			p.env["AWS_ENDPOINT"], p.env["HTTP_PROXY"] = "http://s3.example.org", "http://127.0.0.1:9"
		}, "endpoint", "HTTP_PROXY"},
		{"a redirect to https", gated(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			http.Redirect(w, r, "https://localhost"+r.RequestURI, http.StatusMovedPermanently)
			return true
		}), "endpoint", "Set AWS_ENDPOINT=https://localhost."},
		{
			"a proxy without its store",
			refuses(http.StatusBadGateway, anyRequest),
			"endpoint",
			"cannot reach it (status 502)",
		},
		{"a web site", website, "endpoint", "not an S3 store"},
		{
			"client_conf.js with a digest that version 4 cannot sign",
			edit("client_conf.js", "dataset:", `"Content-MD5": md5, dataset:`),
			"client_conf.js",
			"Remove Content-MD5 from request.params",
		},
		{
			"client_conf.js with a parameter that is no header",
			edit("client_conf.js", "dataset:", `"data set": "x", dataset:`),
			"client_conf.js",
			"characters that a header cannot have",
		},
		{"client_conf.js with another bucket", func(t *testing.T, p *patient) {
			p.ownConf(t, fmt.Sprintf("bucket: %q", p.name), `bucket: "somebucket"`)
		}, "client_conf.js", "objectProperties.bucket"},
		{"client_conf.js with a slash after the endpoint", func(t *testing.T, p *patient) {
			p.ownConf(t, "/"+p.name+`"`, "/"+p.name+`/"`)
		}, "client_conf.js", "slash at the end"},
		{"client_conf.js with another access key", func(t *testing.T, p *patient) {
			p.ownConf(t, p.accessKey, "AKIAIOSFODNN7EXAMPLE")
		}, "client_conf.js", "request.accessKey"},
		{"client_conf.js with another host", conf(`host: "localhost`, `host: "127.0.0.1`), "client_conf.js", "S3 endpoint"},
		{
			"client_conf.js with another region",
			conf(`region: "us-east-1"`, `region: "eu-west-1"`),
			"client_conf.js",
			"objectProperties.region",
		},
		{
			"client_conf.js with a public ACL",
			edit("client_conf.js", "region:", `acl: "public-read", region:`),
			"client_conf.js",
			"objectProperties.acl",
		},
		{
			"client_conf.js with another signing address",
			edit("client_conf.js", `"/s3/sign"`, `"/s3/signature"`),
			"client_conf.js",
			`Set signature.endpoint to "/s3/sign"`,
		},
		{
			"client_conf.js with v4 in the signing address",
			edit("client_conf.js", `"/s3/sign"`, `"/s3/sign?v4=true"`),
			"client_conf.js",
			"which Fine Uploader adds itself",
		},
		{
			"client_conf.js with another success address",
			conf(`"/s3/success"`, `"/s3/succes"`),
			"client_conf.js",
			`Set uploadSuccess.endpoint to "/s3/success"`,
		},
		{
			"client_conf.js with another delete address",
			conf(`"/s3/delete"`, `"/s3/success"`),
			"client_conf.js",
			`Set deleteFile.endpoint to "/s3/delete"`,
		},
		{"client_conf.js without a bracket, under version 2", func(t *testing.T, p *patient) {
			p.ownConf(t, "version: 4", "version: 4")
			p.edit(t, "static/client_conf.js", "expected: true\n  },", "expected: true")
		}, "client_conf.js", "unexpected objectProperties in object literal"},
		{
			"client_conf.js with a word processor's quotes",
			edit("client_conf.js", `bucket: "BUCKET"`, `bucket: “BUCKET”`),
			"client_conf.js",
			"unexpected “ in expression",
		},
		{
			"client_conf.js for another page",
			edit("client_conf.js", "var fine_u_conf", "var conf"),
			"client_conf.js",
			"does not set the variable fine_u_conf",
		},
		{"client_conf.js that is a folder", func(t *testing.T, p *patient) {
			remove("client_conf.js")(t, p)
			if err := os.Mkdir(filepath.Join(p.dir, "client_conf.js"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "client_conf.js", "client_conf.js cannot be read"},
		{
			"client_conf.js without a comma",
			edit("client_conf.js", `bucket: "BUCKET",`, `bucket: "BUCKET"`),
			"client_conf.js",
			"comma",
		},
		{"another script as the bundle", edit("static/s3.fine-uploader.min.js", "Fine Uploader ", ""), "bundle", "make static"},
		{"another version of the bundle", edit("static/s3.fine-uploader.min.js", "5.16.2", "5.11.9"), "bundle", "5.16.2"},
		{
			"half of the hook's exercise",
			func(_ *testing.T, p *patient) { p.env["P3S3F_EXAMPLE_ALLOW_LARGE"] = p.name + "/x/y" },
			"server",
			"the server does not start: the hooks could not start: P3S3F_EXAMPLE_ALLOW_LARGE has no effect",
		},
	}
}

// radosgwFaults are those of Ceph.
func radosgwFaults() []fault {
	return []fault{
		{
			"CORS without ETag",
			cors(types.CORSRule{ExposeHeaders: []string{"x-amz-request-id"}}),
			"cors answers",
			"<ExposeHeader>ETag</ExposeHeader>",
		},
		{
			"CORS in rules of which Ceph reads the first",
			cors(types.CORSRule{AllowedMethods: []string{"POST"}}, types.CORSRule{AllowedMethods: []string{"PUT", "DELETE"}}),
			"cors preflights",
			"Ceph uses only the first rule for an origin (part, abort) Combine the rules into one",
		},
		{"CORS without ETag for one of two sites", func(t *testing.T, p *patient) {
			p.env["P3S3F_ALLOWED_ORIGINS"] = "https://app.example.org"
			cors(
				types.CORSRule{AllowedOrigins: []string{"http://localhost:5000"}},
				types.CORSRule{AllowedOrigins: []string{"https://app.example.org"}, ExposeHeaders: []string{"x-amz-request-id"}},
			)(
				t,
				p,
			)
		}, "cors answers", "a page from https://app.example.org cannot read"},
		{
			"a proxy that asks by a host that Ceph takes for a bucket",
			renamed("store.internal"),
			"endpoint",
			"proxy_set_header Host",
		},
		{
			"storage class that is not set up",
			edit("client_conf.js", "region:", "reducedRedundancy: true, region:"),
			"storage class",
			"reducedRedundancy",
		},
		{
			"encryption without TLS",
			edit("client_conf.js", "region:", "serverSideEncryption: true, region:"),
			"encryption",
			"serverSideEncryption",
		},
	}
}

// versitygwFaults are those of a store that checks the region and takes V4 alone. It exposes the ETag
// whatever the rules say, so CORS without ETag is none.
func versitygwFaults() []fault {
	return []fault{
		{"an https page and an http store", func(t *testing.T, p *patient) {
			between(func(*http.Response) error { return nil })(t, p)
			p.env["HTTP_PROXY"], p.env["AWS_ENDPOINT"] = p.env["AWS_ENDPOINT"], "http://store.example.org"
			p.args = []string{"-origin", "https://uploads.example.org"}
		}, "browsers", "the https page of https://uploads.example.org send to http://store.example.org"},
		{
			"encryption that is ignored",
			edit("client_conf.js", "region:", "serverSideEncryption: true, region:"),
			"encryption",
			"does not encrypt",
		},
		{"another region", set("AWS_REGION", "eu-west-2"), "region", "AWS_REGION=us-east-1"},
		{"version 2", set("P3S3F_SIGNATURE_VERSION", "2"), "signatures", "P3S3F_SIGNATURE_VERSION=4"},
		{"version 2 in client_conf.js", conf("version: 4", "version: 2"), "signatures", "signature.version to 4"},
		{"a store that hangs", hangs, "endpoint", "did not respond"},
		{"virtual hosts at a store without", pathOnly, "addressing", "P3S3F_ADDRESSING=path"},
	}
}

// TestDoctorFinds seeds one fault at a time, and wants that one named with its fix, and no other.
func TestDoctorFinds(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, on := range []struct {
		store  *store
		faults []fault
	}{
		{shared.radosgw, append(commonFaults(), radosgwFaults()...)},
		{versity, slices.Concat(commonFaults(), versitygwFaults(), ownFaults())},
	} {
		t.Run(on.store.name, func(t *testing.T) {
			for _, f := range on.faults {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					p := newPatient(t, on.store)
					f.seed(t, p)
					d := p.examine(t)
					d.wantOnly(t, f.check, f.words)
					if d.Seconds > 30 {
						t.Errorf("took %.1f s", d.Seconds)
					}
				})
			}
		})
	}
}

// TestDoctorWarns seeds what works and should be otherwise.
func TestDoctorWarns(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, w := range []fault{
		{"a storage class that is ignored", edit("client_conf.js", "region:", "reducedRedundancy: true, "+
			"region:"), "storage class", "stores as STANDARD"},
		{"a store that only this computer reaches", set("P3S3F_HOST_NAME", "0.0.0.0"), "browsers", "on other computers " +
			"look for http://localhost:"},
		{"a store that only this computer reaches, behind a proxy", func(t *testing.T, p *patient) {
			p.args = []string{"-origin", "https://uploads.example.org"}
		}, "browsers", "Set AWS_ENDPOINT to an address of the store that they can reach"},
		{"a certificate for another " +
			"host", httpsPair(certificate{host: "uploads.example.org", trusted: true}, false), "https", "is not for localhost"},
		{"a certificate without its " +
			"issuer's", httpsPair(certificate{issuer: "Intermediate"}, false), "https", `does not know its issuer ` +
			`"CN=Intermediate"`},
		{"a certificate of its own making", httpsPair(certificate{}, false), "https", "self-signed"},
		{"a signing address below another " +
			"path", edit("client_conf.js", `"/s3/sign"`, `"/uploads/s3/sign"`), "client_conf.js", "Make sure that a proxy " +
			"removes the prefix"},
		{"a signing address elsewhere", edit("client_conf.js", `"/s3/sign"`, `"https://sign.example.org/s3/sign"`),
			"client_conf.js", "sign.example.org, which doctor does not know"},
		{"the hook's exercise", func(_ *testing.T, p *patient) {
			p.env["P3S3F_EXAMPLE_ALLOW_SMALL"] = p.name + "/x/small_file.txt"
		}, "settings", "P3S3F_EXAMPLE_ALLOW_SMALL is set"},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t, versity)
			w.seed(t, p)
			d := p.examine(t)
			named := slices.ContainsFunc(
				d.with("warning"),
				func(f finding) bool { return f.Check == w.check && strings.Contains(f.Text+" "+f.Fix, w.words) },
			)
			if !d.Healthy || !named {
				t.Errorf("want a warning at %s with %q, got %+v; %+v", w.check, w.words, d.with("warning"), d.with("failed"))
			}
		})
	}
}

// TestDoctorNoFalseAlarm has set-ups that are unusual and good.
func TestDoctorNoFalseAlarm(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, s := range []*store{shared.radosgw, versity} {
		for name, seed := range map[string]func(*testing.T, *patient){
			"headers that Fine Uploader does not rename": edit("client_conf.js", "dataset:", `"Cache-Control": "no-store", `+
				`"Content-Disposition": "attachment", n: 5, dataset:`),
			"pages of many origins": func(_ *testing.T, p *patient) {
				var sites []string
				for i := range 40 {
					sites = append(sites, fmt.Sprintf("https://app%d.example.org", i))
				}
				p.env["P3S3F_ALLOWED_ORIGINS"] = strings.Join(sites, ",")
			},
			"files of three bytes at most": set("P3S3F_MAX_BYTES", "3"),
			"a proxy that lets only the bucket " +
				"through": refuses(http.StatusNotFound, func(r *http.Request, _ []byte) bool { return r.URL.Path == "/" }),
		} {
			t.Run(s.name+" "+name, func(t *testing.T) {
				t.Parallel()
				p := newPatient(t, s)
				seed(t, p)
				for _, f := range p.examine(t).with("failed") {
					t.Errorf("false alarm: %+v", f)
				}
			})
		}
	}
}

// oldCeph refuses forms without a content type, as radosgw did (tracker.ceph.com issue 20201).
func oldCeph(w http.ResponseWriter, _ *http.Request, body []byte) bool {
	typed := bytes.Contains(body, []byte(`name="Content-Type"`))
	if !bytes.Contains(body, []byte(`name="policy"`)) || typed {
		return false
	}
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
	return true
}

// closedPort points to where nobody listens.
func closedPort(t *testing.T, p *patient) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	p.env["AWS_ENDPOINT"] = "http://localhost:" + strconv.Itoa(port)
}

// website answers as a console or a wrong port would.
func website(t *testing.T, p *patient) {
	site := httptest.NewServer(http.FileServer(http.Dir("../static")))
	t.Cleanup(site.Close)
	p.env["AWS_ENDPOINT"] = site.URL
}

// hangs takes connections and says nothing.
func hangs(t *testing.T, p *patient) {
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p.env["AWS_ENDPOINT"] = "http://" + l.Addr().String()
}

// pathOnly moves to a versitygw that does not know virtual hosts, and has the server sign for them.
func pathOnly(t *testing.T, p *patient) {
	s := startPathOnly(t)
	p.bucket = newBucket(t, s)
	p.env = settingsFor(p.bucket, fmt.Sprintf("http://localhost:%d", s.port)).with(settings{"P3S3F_ADDRESSING": "virtual"})
}
