package ledger

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"s3-sign-srv/internal/apierror"
)

// TestOneWinner uploads the same expected file from 20 clients at once, through two servers with the same database: one
// upload is accepted, and the others are refused with a sentence.
func TestOneWinner(t *testing.T) {
	const clients = 20
	for kind, address := range databases(t) {
		servers := []fixture{openLedger(t, address), openLedger(t, address)}
		for i, test := range []struct {
			name  string
			owner func(client int) string
			steps func(client int) []string
		}{
			{"forms", everyone, always(form)},
			{"chunked", everyone, always(initiate, part, part, complete)},
			{"mixed", everyone, mixed},
			{"one owner with forms", one, always(form)},
			{"one owner, mixed", one, mixed},
			{"reported twice", everyone, func(client int) []string { return append(mixed(client), "stored", "accepted") }},
		} {
			t.Run(kind+", "+test.name, func(t *testing.T) {
				dataset := fmt.Sprintf("D%d", i)
				servers[0].expect(t, "dataset,name\n"+dataset+",reads.bam\n")
				keys, errs := make([]string, clients), make([]error, clients)
				var group sync.WaitGroup
				for client := range clients {
					keys[client] = fmt.Sprintf("%s/%s-%d", test.owner(client), dataset, client)
					group.Go(func() {
						for _, do := range append(test.steps(client), "stored", "accepted") {
							s := step{do: do, key: keys[client], dataset: dataset, name: "reads.bam"}
							if errs[client] = servers[client%2].take(t.Context(), s); errs[client] != nil {
								return
							}
						}
					})
				}
				group.Wait()
				checkOneWinner(t, servers[0], keys, errs)
			})
		}
	}
}

func everyone(client int) string { return fmt.Sprintf("user%d", client) }

func one(int) string { return "ada" }

func always(steps ...string) func(int) []string { return func(int) []string { return steps } }

func mixed(client int) []string {
	if client%4 < 2 {
		return []string{form}
	}
	return []string{initiate, part, complete}
}

// checkOneWinner checks that one upload has no error and is accepted.
func checkOneWinner(t *testing.T, l fixture, keys []string, errs []error) {
	t.Helper()
	unaccepted, err := l.Unaccepted(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	var winners []string
	for i, err := range errs {
		var refusal *apierror.Error
		switch {
		case err == nil:
			winners = append(winners, keys[i])
			if unaccepted[keys[i]] {
				t.Errorf("%s was told that it is accepted, and is not", keys[i])
			}
		case !errors.As(err, &refusal) || refusal.Code != apierror.Conflict:
			t.Errorf("%s: %v %v", keys[i], err, errors.Unwrap(err))
		}
	}
	if len(winners) != 1 {
		t.Errorf("%d of the uploads were told that they are accepted: %q", len(winners), winners)
	}
}
