package server_test

import (
	"strings"
	"testing"
)

// TestRate sends bursts from one address: that of the connection, or that which a trusted proxy gives.
func TestRate(t *testing.T) {
	s := startTestServer(t, func(c *config) { c.server.Rate, c.server.TrustedProxies = 0.5, []string{"127.0.0.1/32"} })
	burst := func(forwarded string) (signed int, last response) {
		for range 20 {
			if last = do(t, "POST", s.url+"/s3/sign", jsonType, partV2, "X-Forwarded-For", forwarded); last.status == 200 {
				signed++
			}
		}
		return signed, last
	}
	for _, address := range []string{"198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.3"} {
		signed, last := burst(address)
		if signed != 5 || last.status != 429 || last.header.Get("Retry-After") == "" ||
			!strings.Contains(last.body, "wait a few seconds") {
			t.Errorf("%s: %d of 20 signed, then %d %v %s", address, signed, last.status, last.header, last.body)
		}
	}
	if signed, _ := burst("203.0.113.10, 198.51.100.3"); signed != 0 { // the client's own X-Forwarded-For has no effect
		t.Errorf("a forged address allowed %d more", signed)
	}
	// Session lists and sign requests are counted together.
	s = startOwnedServer(t, func(c *config) { c.server.Rate = 0.5 })
	for i, want := range []int{200, 200, 200, 200, 200, 429, 429} {
		method, target := "GET", "/s3/session"
		if i%2 > 0 {
			method, target = "POST", "/s3/sign" // unauthenticated: counted, and rejected
			want = map[int]int{200: 401, 429: 429}[want]
		}
		if got := do(t, method, s.url+target, jsonType, partV2); got.status != want {
			t.Errorf("request %d, %s: %d %s, want %d", i, target, got.status, got.body, want)
		}
	}
	// Success reports and deletions are counted together, and apart from sign requests.
	s = startTestServer(t, func(c *config) { c.server.Rate = 0.5 })
	for i, want := range []int{200, 200, 200, 200, 200, 429, 429} {
		do(t, "POST", s.url+"/s3/sign", jsonType, partV2)
		method, target := "POST", "/s3/success"
		if i%2 > 0 {
			method, target = "DELETE", deletePath
		}
		if got := do(t, method, s.url+target, formType, success); got.status != want {
			t.Errorf("report %d, %s: %d %s, want %d", i, target, got.status, got.body, want)
		}
	}
	for name, trusted := range map[string][]string{"no proxy": nil, "another proxy": {"192.0.2.0/24", "::1/128"}} {
		s = startTestServer(t, func(c *config) { c.server.Rate, c.server.TrustedProxies = 0.5, trusted })
		for i, address := range []string{"198.51.100.1", "198.51.100.2", "192.0.2.1", "127.0.0.1, 192.0.2.1"} {
			if signed, _ := burst(address); signed != []int{5, 0, 0, 0}[i] {
				t.Errorf("%s is trusted, but X-Forwarded-For %s allowed %d requests", name, address, signed)
			}
		}
		if log := s.log.drain(); strings.Count(log, `"remote_addr":"127.0.0.1"`) != 75 ||
			strings.Count(log, `"remote_addr":`) != 75 { // of 80
			t.Errorf("%s is trusted, but the log has other addresses: %s", name, log)
		}
	}
}

// TestRateCoversIdentify checks that every route that calls the hook Identify is limited.
func TestRateCoversIdentify(t *testing.T) {
	for _, target := range []string{"/s3/owner", "/s3/session", "/static/client_conf.js"} {
		s := startOwnedServer(t, func(c *config) { c.server.Rate = 0.5 })
		statuses := map[int]int{}
		for range 20 {
			statuses[do(t, "GET", s.url+target, "", "").status]++
		}
		if statuses[200] != 5 || statuses[429] != 15 {
			t.Errorf("%s: %v, want 5 responses with 200 and 15 with 429", target, statuses)
		}
	}
}
