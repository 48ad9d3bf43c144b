package ledger

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestEvents takes steps and checks which events they add.
func TestEvents(t *testing.T) {
	begin := step{do: form, key: "ada/1", dataset: "D1", name: "reads.bam"}
	stored := step{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam"}
	accept, refuse := step{do: "accepted", key: "ada/1"}, step{do: "refused", key: "ada/1"}
	remove := step{do: "deleted", key: "ada/1"}
	other := step{do: "stored", key: "bob/2", dataset: "D1", name: "reads.bam", refusal: "there already"}
	for _, test := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"not decided", []step{begin, stored}, nil},
		{"accepted", []step{begin, stored, accept}, []string{"upload.accepted ada/1"}},
		{"reported twice", []step{begin, stored, accept, stored, accept}, []string{"upload.accepted ada/1"}},
		{"refused by the hook, reported twice", []step{begin, stored, refuse, stored, refuse},
			[]string{"upload.refused ada/1"}},
		{"refused, then accepted", []step{begin, stored, refuse, stored, accept},
			[]string{"upload.refused ada/1", "upload.accepted ada/1"}},
		{"refused by the ledger, reported twice", []step{begin, stored, accept, other, other},
			[]string{"upload.accepted ada/1", "upload.refused bob/2"}},
		{"deleted twice", []step{begin, stored, accept, remove, remove},
			[]string{"upload.accepted ada/1", "upload.deleted ada/1"}},
		{"deleted, and uploaded again", []step{begin, stored, accept, remove, begin, stored, accept},
			[]string{"upload.accepted ada/1", "upload.deleted ada/1", "upload.accepted ada/1"}},
		{"not known", []step{accept, refuse, remove}, nil},
	} {
		for kind, address := range databases(t) {
			t.Run(kind+", "+test.name, func(t *testing.T) {
				l := openAt(t, address, func(c *Config) { c.Events = true })
				l.expect(t, "dataset,name\nD1,reads.bam\n")
				for i, s := range test.steps {
					err := l.take(t.Context(), s)
					if (err == nil) != (s.refusal == "") || err != nil && !strings.Contains(err.Error(), s.refusal) {
						t.Fatalf("step %d: %v", i, err)
					}
					l.clock.Add(1)
				}
				if got := l.events(t); !slices.Equal(got, test.want) {
					t.Errorf("events %q, want %q", got, test.want)
				}
			})
		}
	}
}

// events returns "type key" of every event, in order.
func (l fixture) events(t *testing.T) (list []string) {
	t.Helper()
	for e, err := range l.AllEvents(t.Context()) {
		var body eventBody
		if err == nil {
			err = json.Unmarshal(e.Body, &body)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, body.Type+" "+body.Data.Key)
	}
	return list
}
