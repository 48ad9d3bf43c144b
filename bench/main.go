// Command bench compares the speed of the built server with that of a constant handler: a server on the same chi stack
// that reads the body and writes a constant response. Run it as make bench.
//
// Each server runs in a process of its own, and this one sends the requests over loopback. Every connection sends its
// next request when the last response has arrived. Rounds alternate between the two servers; bench prints the median of
// the rounds and their range.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "constant" {
		exitOn(serveConstant())
		return
	}
	server := flag.String("server", "bin/s3-sign-srv", "the built server")
	rounds := flag.Int("rounds", 5, "number of rounds")
	length := flag.Duration("length", 2*time.Second, "length of a round")
	only := flag.String("only", "", "kind of request, as \"part V2\" (default all)")
	connections := flag.Int("connections", 0, "number of connections (default 1, 16, 64 and 256 in turn)")
	flag.Parse()

	kinds, counts := kinds, []int{1, 16, 64, 256}
	if *only != "" {
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == *only })
		if i < 0 {
			exitOn(fmt.Errorf("-only: there is no kind %q; use a name from the table's first column", *only))
		}
		kinds = kinds[i : i+1]
	}
	if *connections > 0 {
		counts = []int{*connections}
	}
	exitOn(measureStart(*server, *rounds))
	exitOn(compare(*server, *rounds, *length, kinds, counts))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measureStart prints the size of the binary, and the server's start time and memory before the first request.
func measureStart(server string, rounds int) error {
	info, err := os.Stat(server)
	if err != nil {
		return err
	}
	var ms []float64
	memory := 0
	for range rounds {
		begin := time.Now()
		p, err := start(environment, server)
		if err != nil {
			return err
		}
		ms = append(ms, time.Since(begin).Seconds()*1e3)
		memory = max(memory, p.peakMemory())
		p.stop()
	}
	fmt.Printf("binary %.1f MB; start to listening %s ms; idle memory %d MB\n\n",
		float64(info.Size())/1e6, medianAndRange(ms), memory)
	return nil
}

// compare prints a row for every kind of request and number of connections.
func compare(server string, rounds int, length time.Duration, kinds []kind, counts []int) error {
	shipped, err := start(environment, server)
	if err != nil {
		return err
	}
	defer shipped.stop()
	constant, err := start(nil, os.Args[0], "constant")
	if err != nil {
		return err
	}
	defer constant.stop()

	fmt.Printf("%d rounds of %v each; medians, range in parentheses; ratios: shipped server to constant handler\n\n"+
		"| request | connections | constant req/s | shipped req/s | ratio | constant p50, p99 µs | shipped p50, p99 µs "+
		"| p99 ratio | constant, shipped CPU µs/req |\n|---|---|---|---|---|---|---|---|---|\n", rounds, length)
	for _, kind := range kinds {
		for _, connections := range counts {
			var c, s series
			for range rounds {
				request := kind.request(time.Now().UTC())
				if err := c.measure(constant, request, connections, length); err != nil {
					return err
				}
				if err := s.measure(shipped, request, connections, length); err != nil {
					return err
				}
			}
			fmt.Printf("| %s | %d | %s | %s | %.2f | %.0f, %.0f | %.0f, %.0f | %.2f | %.0f, %.0f |\n",
				kind.name, connections, medianAndRange(c.rate), medianAndRange(s.rate), median(s.rate)/median(c.rate),
				median(c.p50), median(c.p99), median(s.p50), median(s.p99), median(s.p99)/median(c.p99),
				median(c.cpu), median(s.cpu))
		}
	}
	fmt.Printf("\npeak memory: shipped %d MB, constant %d MB\n", shipped.peakMemory(), constant.peakMemory())
	return nil
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

func medianAndRange(values []float64) string {
	return fmt.Sprintf("%.0f (%.0f–%.0f)", median(values), slices.Min(values), slices.Max(values))
}
