package server_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// TestOneLineTells finds a mismatch by reading the one log line that the answer's id names: the
// request, what came, and what was expected.
func TestOneLineTells(t *testing.T) {
	w := startWorld(t, func(c *config) {
		c.server.Hooks.ChallengeIsGood = func(context.Context, *hooks.Challenge) error { return hooks.Deny("No.") }
	})
	other := strings.Replace(partV2, "/mybucket/", "/other/", 1)
	for _, test := range []struct {
		body string
		want map[string]string
	}{
		{other, map[string]string{"msg": "refused", "level": "WARN", "request": "PUT /other/uuid.txt", "got": "other", "want": "mybucket", "method": "POST", "path": "/s3/sign", "peer": "127.0.0.1"}},
		{strings.Replace(partV2, "11:56:08", "12:56:08", 1), map[string]string{"request": "PUT /mybucket/uuid.txt", "got": "2026-11-23T12:56:08Z", "want": "2026-11-23T11:56:08Z"}},
		{`{"expiration":"2026-11-23T12:01:08.000Z","conditions":[{"key":"k.txt"},{"bucket":"other"}]}`, map[string]string{"request": "POST k.txt", "got": "other", "want": "mybucket"}},
		{partV2, map[string]string{"error": "No.", "cause": `UploadPart of "uuid.txt", version 2: No.`}},
	} {
		w.log.taken()
		var answer, line map[string]any
		if err := json.Unmarshal([]byte(ask(t, "POST", w.url+"/s3/sign", jsonType, test.body).body), &answer); err != nil {
			t.Fatal(err)
		}
		text := w.log.taken()
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		test.want["id"], _ = answer["id"].(string)
		for name, want := range test.want {
			if line[name] != want {
				t.Errorf("%s is %q, want %q in %s", name, line[name], want, text)
			}
		}
	}
}
