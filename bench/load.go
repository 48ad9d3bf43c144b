package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// result is what one round gave: requests a second, latencies in µs, and µs of the server's processor time a request.
type result struct{ perSecond, p50, p99, cpu float64 }

// load sends request to the server over so many connections for so long.
func load(p *process, request []byte, connections int, length time.Duration) (result, error) {
	latencies := make([][]time.Duration, connections)
	faults := make([]error, connections)
	before := p.cpuTime()
	begin := time.Now()
	end := begin.Add(length)
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() { latencies[i], faults[i] = converse(p.address, request, end) })
	}
	group.Wait()
	took := time.Since(begin)
	if err := errors.Join(faults...); err != nil {
		return result{}, err
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	at := func(share float64) float64 { return micro(all[int(share*float64(len(all)-1))]) }
	return result{perSecond: float64(len(all)) / took.Seconds(), p50: at(0.5), p99: at(0.99), cpu: micro(p.cpuTime()-before) / float64(len(all))}, nil
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// converse sends the request again and again over one connection and times the answers.
func converse(address string, request []byte, end time.Time) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	var latencies []time.Duration
	for {
		sent := time.Now()
		if sent.After(end) {
			return latencies, nil
		}
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if err := readAnswer(answers); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(sent))
	}
}

// readAnswer reads a 200 with a Content-Length, with as little work as may be: the load must not cost
// more than what it measures.
func readAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		rest, _ := io.ReadAll(io.LimitReader(r, 1<<10))
		return fmt.Errorf("the answer is %s%s", line, rest)
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("the answer has no Content-Length")
	}
	_, err = r.Discard(length)
	return err
}
