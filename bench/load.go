package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A series has a value for each round: requests per second, latencies in µs, and the server's CPU time in µs per
// request.
type series struct{ rate, p50, p99, cpu []float64 }

// measure sends the request over a number of connections for a time, and adds the round's values.
func (s *series) measure(p *process, request []byte, connections int, length time.Duration) error {
	latencies, errs := make([][]time.Duration, connections), make([]error, connections)
	cpu, begin := p.cpuTime(), time.Now()
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() { latencies[i], errs[i] = sendUntil(begin.Add(length), p.address, request) })
	}
	group.Wait()
	took := time.Since(begin)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	s.rate = append(s.rate, float64(len(all))/took.Seconds())
	s.p50 = append(s.p50, micro(all[(len(all)-1)/2]))
	s.p99 = append(s.p99, micro(all[(len(all)-1)*99/100]))
	s.cpu = append(s.cpu, micro(p.cpuTime()-cpu)/float64(len(all)))
	return nil
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// sendUntil repeats the request over one connection until the end, and returns the latencies.
func sendUntil(end time.Time, address string, request []byte) (latencies []time.Duration, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	responses := bufio.NewReader(conn)
	for sent := time.Now(); sent.Before(end); sent = time.Now() {
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if err := readResponse(responses); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(sent))
	}
	return latencies, nil
}

// readResponse reads a response with status 200 and a Content-Length. http.ReadResponse would take more CPU time than
// the server.
func readResponse(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		line = bytes.Clone(line)
		rest, _ := r.Peek(r.Buffered())
		return fmt.Errorf("the response is %s%s", line, rest)
	}
	length := 0
	for len(bytes.TrimSpace(line)) > 0 {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err = r.Discard(length)
	return err
}
