package webhook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// Two secrets, for a rotation.
var secret, nextSecret = newSecret("the first secret of the app"), newSecret("the second secret of the app")

func newSecret(key string) sign.Secret {
	return sign.NewSecret("whsec_" + base64.StdEncoding.EncodeToString([]byte(key)))
}

// application is a test server that gives the same response to every message, and records the messages.
type application struct {
	*httptest.Server
	mu       sync.Mutex
	status   int
	response string
	received []received
}

type received struct {
	body   string
	header http.Header
}

func startApplication(t *testing.T) *application {
	t.Helper()
	a := &application{status: http.StatusOK, response: `{"allow":true}`}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.received = append(a.received, received{string(body), r.Header})
	w.Header().Set("Location", "/elsewhere") // only a redirect means it
	w.Header().Set("Set-Cookie", "of=application")
	w.WriteHeader(a.status)
	io.WriteString(w, a.response)
}

// respond sets the response to the following messages.
func (a *application) respond(status int, response string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status, a.response = status, response
}

// drain returns the messages since the last call.
func (a *application) drain() []received {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.received
	a.received = nil
	return all
}

// hooksOf returns hooks that allow everything, followed by the application at address.
func hooksOf(t *testing.T, address string) hooks.Funcs {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	client, err := New(u, []sign.Secret{secret, nextSecret})
	if err != nil {
		t.Fatal(err)
	}
	return client.After(hooks.Funcs{
		Identify: func(_ context.Context, r *http.Request) (string, error) {
			if owner := r.Header.Get("Test-Owner"); owner != "" {
				return owner, nil
			}
			return "", hooks.ErrUnauthenticated
		},
		ChallengeIsGood: func(context.Context, *hooks.Challenge) error { return nil },
		Success: func(context.Context, *hooks.Upload) (hooks.Reply, error) {
			return hooks.Reply{"go": true, "dataset": "of Go"}, nil
		},
		Delete:  func(context.Context, *hooks.Deletion) error { return nil },
		Deleted: func(context.Context, *hooks.Deletion) error { return nil },
		List:    func(_ context.Context, uploads []*hooks.Upload) ([]*hooks.Upload, error) { return uploads, nil },
	})
}

// calls call one hook each, and return what it returns as text.
var calls = map[string]func(context.Context, hooks.Funcs) (string, error){
	typeIdentify: func(ctx context.Context, f hooks.Funcs) (string, error) {
		return f.Identify(ctx, browserRequest())
	},
	typeChallenge: func(ctx context.Context, f hooks.Funcs) (string, error) {
		return "signed", f.ChallengeIsGood(ctx, &hooks.Challenge{
			Owner: "user/42", Client: hooks.FineUploader,
			Request: &sign.Request{
				Operation: sign.PostObject, Bucket: "b", Key: "user/42/k1.bam", Version: sign.V4, ACL: "private",
				ContentType: "text/plain", Metadata: map[string]string{"qqfilename": "é.bam"}, Size: &sign.SizeRange{Max: 5},
			},
		})
	},
	typeSuccess: func(ctx context.Context, f hooks.Funcs) (string, error) {
		deleted := ""
		u := newUpload("user/42/k1.bam")
		u.UUID, u.Name, u.Form = "0e4b", "é.bam", map[string]string{"dataset": "D1"}
		u.Delete = func(context.Context) error { deleted = "deleted"; return nil }
		reply, err := f.Success(ctx, u)
		text, _ := json.Marshal(reply)
		return deleted + string(text), err
	},
	typeDelete: func(ctx context.Context, f hooks.Funcs) (string, error) {
		return "deletes", f.Delete(ctx, &hooks.Deletion{Owner: "user/42", Bucket: "b", Key: "user/42/k1.bam", UUID: "0e4b"})
	},
	typeDeleted: func(ctx context.Context, f hooks.Funcs) (string, error) {
		return "deleted", f.Deleted(ctx, &hooks.Deletion{Owner: "user/42", Bucket: "b", Key: "user/42/k1.bam", UUID: "0e4b",
			Form: map[string]string{"reason": "old"}})
	},
	typeList: func(ctx context.Context, f hooks.Funcs) (string, error) {
		uploads, err := f.List(ctx, []*hooks.Upload{newUpload("user/42/k1.bam"), newUpload("user/42/k2.bam")})
		var keys []string
		for _, u := range uploads {
			keys = append(keys, u.Key)
		}
		return strings.Join(keys, " "), err
	},
}

func newUpload(key string) *hooks.Upload {
	return &hooks.Upload{Owner: "user/42", Bucket: "b", Key: key, ETag: `"e"`, Size: 11, ContentType: "a\xff",
		Metadata: map[string]string{"dataset": "D1"}, LastModified: time.Date(2026, 11, 23, 11, 56, 8, 0, time.UTC)}
}

// browserRequest is the request of a browser with the cookies of the application and of this server.
func browserRequest() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/s3/sign", nil)
	r.Header["Cookie"] = []string{"session=s1; s3_sign_srv=o1", "__Host-s3_sign_srv_app=o2; theme=dark"}
	r.Header.Set("Authorization", "Bearer t1")
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	return r
}

// schemaOf compiles a definition of docs/webhooks.schema.json.
func schemaOf(t *testing.T, definition string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("../../docs/webhooks.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	document, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("webhooks.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("webhooks.schema.json" + definition)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// isValid reports whether text is JSON that fits the schema.
func isValid(schema *jsonschema.Schema, text string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// TestMessages checks what the application receives: body, schema, signatures by both secrets, and headers.
func TestMessages(t *testing.T) {
	const upload = `"bucket":"b","content_type":"a` + "\ufffd" + `","etag":"\"e\"",`
	const rest = `"last_modified":"2026-11-23T11:56:08Z","metadata":{"dataset":"D1"},`
	for kind, want := range map[string]string{
		typeIdentify: `{"owner":""}`,
		typeChallenge: `{"acl":"private","bucket":"b","client":"fine-uploader","content_type":"text/plain",` +
			`"key":"user/42/k1.bam",` +
			`"metadata":{"qqfilename":"é.bam"},"operation":"PostObject","owner":"user/42","signature_version":4,` +
			`"size":{"max":5,"min":0}}`,
		typeSuccess: `{` + upload + `"form":{"dataset":"D1"},"key":"user/42/k1.bam",` + rest + `"name":"é.bam",` +
			`"owner":"user/42","size":11,"uuid":"0e4b"}`,
		typeDelete:  `{"bucket":"b","key":"user/42/k1.bam","owner":"user/42","uuid":"0e4b"}`,
		typeDeleted: `{"bucket":"b","form":{"reason":"old"},"key":"user/42/k1.bam","owner":"user/42","uuid":"0e4b"}`,
		typeList: `{"owner":"user/42","uploads":[` +
			`{` + upload + `"key":"user/42/k1.bam",` + rest + `"owner":"user/42","size":11},` +
			`{` + upload + `"key":"user/42/k2.bam",` + rest + `"owner":"user/42","size":11}]}`,
	} {
		a := startApplication(t)
		if _, err := calls[kind](t.Context(), hooksOf(t, a.URL+"/hooks?a=b")); err != nil && kind != typeIdentify {
			t.Errorf("%s: %v", kind, err)
		}
		messages := a.drain()
		if len(messages) != 1 {
			t.Fatalf("%s: %d messages", kind, len(messages))
		}
		body, header := messages[0].body, messages[0].header
		var message struct {
			Type string
			Data map[string]any
		}
		if err := json.Unmarshal([]byte(body), &message); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		var data strings.Builder
		encoder := json.NewEncoder(&data)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(message.Data)
		if err != nil || strings.TrimSpace(data.String()) != want || message.Type != kind {
			t.Errorf("%s: %s %s, %v; want %s", kind, message.Type, &data, err, want)
		}
		for _, definition := range []string{"", "#/$defs/" + kind} {
			if err := isValid(schemaOf(t, definition), body); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		for _, s := range []sign.Secret{secret, nextSecret} {
			verifier, err := standardwebhooks.NewWebhook(s.Reveal())
			if err == nil {
				err = verifier.Verify([]byte(body), header)
			}
			if err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		cookies, authorization := "", ""
		if kind == typeIdentify {
			cookies, authorization = "session=s1; theme=dark", "Bearer t1"
		}
		if header.Get("Cookie") != cookies || header.Get("Authorization") != authorization ||
			header.Get("X-Forwarded-For") != "" || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: headers %v", kind, header)
		}
	}
}

// TestDocument checks the example in docs/webhooks.md.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(document), "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	if err := isValid(schemaOf(t, ""), example); err != nil {
		t.Errorf("%s: %v", example, err)
	}
}

// describe returns what a hook returned, and the codes of its errors.
func describe(value string, err error) string {
	var rejection *apierror.Error
	switch {
	case err == nil:
		return value
	case !errors.As(err, &rejection):
		return "error without code: " + err.Error()
	}
	code := map[apierror.Code]string{
		apierror.Forbidden: "403", apierror.Unauthenticated: "401", apierror.HookFailed: "502", apierror.Unavailable: "503",
	}[rejection.Code]
	if code == "403" || code == "401" {
		return fmt.Sprintf("%s %s", code, rejection.Message)
	}
	return code
}
