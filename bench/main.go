// Command bench loads the built server and, in turn with it, the same chi stack with a handler that
// only reads the body and writes a constant answer, and prints what each does side by side.
// Both run as processes of their own; the load comes from this one, over loopback, each connection
// sending its next request when it has the answer to the last. Rounds alternate, and the medians of
// the rounds are printed with their spread. Run it as make bench.
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
	rounds := flag.Int("rounds", 5, "rounds for each figure")
	length := flag.Duration("length", 2*time.Second, "length of a round")
	only := flag.String("only", "", "the one kind of request to send, as \"part V2\"; without it, all")
	connections := flag.Int("connections", 0, "the one number of connections to load with; without it, 1, 16, 64 and 256")
	flag.Parse()
	chosen, err := chooseKinds(*only)
	exitOn(err)
	exitOn(atRest(*server, *rounds))
	exitOn(compare(*server, *rounds, *length, chosen, chooseConnections(*connections)))
}

// chooseKinds returns the kind of that name, or all without a name.
func chooseKinds(only string) ([]kind, error) {
	if only == "" {
		return kinds, nil
	}
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == only })
	if i < 0 {
		return nil, fmt.Errorf("there is no request %q to send; -only takes a name of the table's first column", only)
	}
	return kinds[i : i+1], nil
}

func chooseConnections(only int) []int {
	if only > 0 {
		return []int{only}
	}
	return []int{1, 16, 64, 256}
}

// atRest prints what the server costs before anybody asks.
func atRest(server string, rounds int) error {
	info, err := os.Stat(server)
	if err != nil {
		return err
	}
	var starts []float64
	memory := 0
	for range rounds {
		begin := time.Now()
		p, err := start([]string{server}, environment())
		if err != nil {
			return err
		}
		starts = append(starts, float64(time.Since(begin).Microseconds())/1e3)
		memory = max(memory, p.peakMemory())
		p.stop()
	}
	slices.Sort(starts)
	fmt.Printf("binary %.1f MB; start to listening %.0f ms (%.0f–%.0f); idle memory %d MB\n\n",
		float64(info.Size())/1e6, starts[len(starts)/2], starts[0], starts[len(starts)-1], memory)
	return nil
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// compare runs every kind of request at every number of connections, and prints a line for each.
func compare(server string, rounds int, length time.Duration, kinds []kind, counts []int) error {
	shipped, err := start([]string{server}, environment())
	if err != nil {
		return err
	}
	defer shipped.stop()
	constant, err := start([]string{os.Args[0], "constant"}, nil)
	if err != nil {
		return err
	}
	defer constant.stop()

	fmt.Printf("%d rounds of %v each; medians, (spread of the rounds); ratio: of the shipped server to the constant handler\n\n", rounds, length)
	fmt.Printf("| request | connections | constant req/s | shipped req/s | ratio | constant p50, p99 µs | shipped p50, p99 µs | p99 ratio | constant, shipped CPU µs/req |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, kind := range kinds {
		for _, connections := range counts {
			var theirs, ours []result
			for range rounds {
				request := kind.request(time.Now().UTC())
				result, err := load(constant, request, connections, length)
				if err != nil {
					return err
				}
				theirs = append(theirs, result)
				if result, err = load(shipped, request, connections, length); err != nil {
					return err
				}
				ours = append(ours, result)
			}
			printLine(kind.name, connections, theirs, ours)
		}
	}
	fmt.Printf("\nlargest resident memory: shipped %d MB, constant %d MB\n", shipped.peakMemory(), constant.peakMemory())
	return nil
}

func printLine(name string, connections int, theirs, ours []result) {
	rate := func(r result) float64 { return r.perSecond }
	p50 := func(r result) float64 { return r.p50 }
	p99 := func(r result) float64 { return r.p99 }
	cpu := func(r result) float64 { return r.cpu }
	fmt.Printf("| %s | %d | %.0f (%.0f–%.0f) | %.0f (%.0f–%.0f) | %.2f | %.0f, %.0f | %.0f, %.0f | %.2f | %.0f, %.0f |\n", name, connections,
		median(theirs, rate), least(theirs, rate), most(theirs, rate), median(ours, rate), least(ours, rate), most(ours, rate),
		median(ours, rate)/median(theirs, rate),
		median(theirs, p50), median(theirs, p99), median(ours, p50), median(ours, p99), median(ours, p99)/median(theirs, p99), median(theirs, cpu), median(ours, cpu))
}

func sorted(results []result, of func(result) float64) []float64 {
	var values []float64
	for _, r := range results {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values
}

func median(results []result, of func(result) float64) float64 {
	return sorted(results, of)[len(results)/2]
}
func least(results []result, of func(result) float64) float64 { return sorted(results, of)[0] }
func most(results []result, of func(result) float64) float64 {
	return sorted(results, of)[len(results)-1]
}
