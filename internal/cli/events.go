package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/events"
	"s3-sign-srv/internal/ledger"
	"s3-sign-srv/internal/metrics"
	"s3-sign-srv/internal/webhook"
)

// eventPoll is how often the server looks for events to deliver.
const eventPoll = time.Second

// startEvents delivers events until stop is called, if P3S3F_EVENTS_URL is set.
func startEvents(
	cfg config.Config, l *ledger.Ledger, log *slog.Logger, m *metrics.Metrics,
) (stop func(), err error) {
	if cfg.EventsURL == nil {
		return func() {}, nil
	}
	application, err := webhook.New(cfg.EventsURL, cfg.EventsSecrets)
	if err != nil {
		return nil, fmt.Errorf("P3S3F_EVENTS_SECRET: %w", err)
	}
	m.AddGauge("events_pending", "Events that are not delivered; NaN while the database does not respond.",
		func() float64 { return countPending(l) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		(&events.Sender{Ledger: l, Application: application, Log: log, Poll: eventPoll}).Run(ctx)
	}()
	return func() { cancel(); <-done }, nil
}

func countPending(l *ledger.Ledger) float64 {
	n, err := l.Pending(context.Background())
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}

// runEvents lists the events of the ledger, or makes them due again.
func runEvents(ctx context.Context, args []string, env environ, stdout io.Writer) error {
	action := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		action, args = args[0], args[1:]
	}
	o, err := parseFlags("events", args, 1, stdout)
	if err != nil {
		return err
	}
	const usage = "; see s3-sign-srv help events"
	switch {
	case action == "redeliver" && !o.json:
		return withLedger(ctx, o.envFile, env, func(l *ledger.Ledger) error {
			n, err := l.Redeliver(ctx, o.argument)
			if err == nil {
				_, err = fmt.Fprintf(stdout, "%d events are due now\n", n)
			}
			return err
		})
	case action == "list" && o.argument == "":
		list := listEvents
		if o.json {
			list = listEventsJSON
		}
		return withLedger(ctx, o.envFile, env, func(l *ledger.Ledger) error {
			out := bufio.NewWriter(stdout)
			return errors.Join(list(out, l.AllEvents(ctx)), out.Flush())
		})
	}
	return errors.New("events is followed by list or by redeliver" + usage)
}

// listEvents writes a table for people.
func listEvents(w io.Writer, all iter.Seq2[ledger.Event, error]) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTYPE\tKEY\tCREATED\tATTEMPTS\tDELIVERED\tERROR")
	for e, err := range all {
		if err != nil {
			return err
		}
		var body struct {
			Type string `json:"type"`
			Data struct {
				Key string `json:"key"`
			} `json:"data"`
		}
		if err := json.Unmarshal(e.Body, &body); err != nil {
			return err
		}
		delivered := "-"
		if e.Delivered != nil {
			delivered = e.Delivered.Format(time.DateTime)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", e.ID, body.Type, body.Data.Key, e.Created.Format(time.DateTime),
			e.Attempts, delivered, cmp.Or(e.Error, "-"))
	}
	return table.Flush()
}

// listEventsJSON writes one JSON object for each event and line.
func listEventsJSON(w io.Writer, all iter.Seq2[ledger.Event, error]) error {
	out := jsontext.NewEncoder(w)
	for e, err := range all {
		if err == nil {
			err = json.MarshalEncode(out, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
