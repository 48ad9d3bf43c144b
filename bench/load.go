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

// result is what one round gave: requests a second, and latencies in µs.
type result struct{ perSecond, p50, p99 float64 }

// load sends request over so many connections for so long.
func load(address string, request []byte, connections int, length time.Duration) (result, error) {
	latencies := make([][]time.Duration, connections)
	faults := make([]error, connections)
	begin := time.Now()
	end := begin.Add(length)
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() { latencies[i], faults[i] = converse(address, request, end) })
	}
	group.Wait()
	took := time.Since(begin)
	if err := errors.Join(faults...); err != nil {
		return result{}, err
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	at := func(share float64) float64 { return float64(all[int(share*float64(len(all)-1))].Nanoseconds()) / 1e3 }
	return result{float64(len(all)) / took.Seconds(), at(0.5), at(0.99)}, nil
}

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
