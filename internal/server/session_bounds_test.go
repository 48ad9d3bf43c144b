package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	pageFiles    = 1000 // files in a response to LIST
	heldPages    = 12   // of the first owner
	readPages    = 10   // that the server reads
	listedFiles  = 200
	maxHeadCalls = 16
)

// listingS3 is a store with the objects of two owners. The first has twelve pages of files: every fiftieth is of today,
// the others are of yesterday, and those of the last two pages are of tomorrow. The second has 200 files. HEAD calls
// for them get no response until open is closed.
type listingS3 struct {
	prefix string // of the first owner: "OWNER/"
	open   chan struct{}
	busy   chan struct{} // closed when maxHeadCalls HEADs wait
	listed chan struct{} // closed at the LIST for the second owner

	mu               sync.Mutex
	lists, headCalls int // calls so far
	waiting, most    int // HEADs without a response: now, and at most
}

func (l *listingS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/report.txt"):
		w.Header().Set("Content-Length", "11")
	case r.Method == http.MethodHead:
		l.count(0, 1)
		<-l.open
		l.count(0, -1)
	default:
		l.count(1, 0)
		l.list(w, r.URL.Query())
	}
}

// count counts a LIST, and the beginning or end of a HEAD.
func (l *listingS3) count(list, head int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists += list
	l.headCalls += max(head, 0)
	l.waiting += head
	l.most = max(l.most, l.waiting)
	if head > 0 && l.headCalls == maxHeadCalls {
		close(l.busy)
	}
}

// list responds with a page. Its token is its number.
func (l *listingS3) list(w http.ResponseWriter, q url.Values) {
	page, files, more := 0, listedFiles, false
	if q.Get("prefix") == l.prefix {
		fmt.Sscan(q.Get("continuation-token"), &page)
		files, more = pageFiles, page+1 < heldPages
	} else {
		close(l.listed)
	}
	fmt.Fprintf(w,
		"<ListBucketResult><IsTruncated>%t</IsTruncated><NextContinuationToken>%d</NextContinuationToken>",
		more, page+1)
	for n := page * pageFiles; n < page*pageFiles+files; n++ {
		at := now.Add(time.Duration(n) * time.Millisecond)
		switch {
		case page >= readPages:
			at = at.Add(24 * time.Hour)
		case n%50 > 0:
			at = at.Add(-24 * time.Hour)
		}
		fmt.Fprintf(w,
			"<Contents><Key>%s%05d.txt</Key><Size>1</Size><LastModified>%s</LastModified></Contents>",
			q.Get("prefix"), n, at.Format("2006-01-02T15:04:05.000Z"))
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

// TestSessionIsBounded lists the files of two owners. Of the first owner's twelve pages ten are read, and the 200
// newest files of these are listed. Both lists together make 16 HEAD calls at a time. Other calls to the store do not
// wait for them.
func TestSessionIsBounded(t *testing.T) {
	l := &listingS3{open: make(chan struct{}), busy: make(chan struct{}), listed: make(chan struct{})}
	store := httptest.NewServer(l)
	defer store.Close()
	open := sync.OnceFunc(func() { close(l.open) })
	defer open()
	s := startOwnedServer(t, func(c *config) {
		c.server.Bucket = bucketAt(store.URL)
	})
	cookie, owner := s.openPage(t)
	otherCookie, _ := s.openPage(t)
	l.prefix = owner + "/"
	list, otherList := make(chan string), make(chan string)
	wait := func(event chan struct{}, early chan string) {
		t.Helper()
		select {
		case <-event:
		case body := <-early:
			t.Fatalf("a list came before any response to HEAD: %.300s", body)
		}
	}
	go func() { list <- s.sessionOf(cookie) }()
	wait(l.busy, list)
	go func() { otherList <- s.sessionOf(otherCookie) }()
	wait(l.listed, otherList)
	for range 20 { // time for a seventeenth HEAD
		if got := do(t, "POST", s.url+"/s3/success", formType, "bucket=mybucket&"+
			"key="+owner+"/report.txt", "Cookie", cookie); got.status != 200 {
			t.Errorf("a success report during the list: %d %s", got.status, got.body)
		}
	}
	open()
	var received []struct {
		S3Key string `json:"s3Key"`
	}
	total, body, _ := strings.Cut(<-list, " ")
	if total != "10000" || json.Unmarshal([]byte(body), &received) != nil || len(received) != listedFiles {
		t.Fatalf("%d of %s files: %.300s", len(received), total, body)
	}
	for i, file := range received {
		if want := fmt.Sprintf("%s/%05d.txt", owner, (listedFiles-1-i)*50); file.S3Key != want {
			t.Fatalf("file %d is %s, want %s", i, file.S3Key, want)
		}
	}
	<-otherList
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lists != readPages+1 || l.headCalls != 2*listedFiles || l.most != maxHeadCalls {
		t.Errorf("%d LISTs, %d HEADs, %d of them at a time; want %d, %d, %d", l.lists, l.headCalls, l.most,
			readPages+1, 2*listedFiles, maxHeadCalls)
	}
}

// sessionOf returns the number of files, a space and the list of files, or an error as text, because it runs in its own
// goroutine.
func (s *testServer) sessionOf(cookie string) string {
	r, err := http.NewRequest("GET", s.url+"/s3/session", nil)
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Cookie", cookie)
	got, err := roundTrip(r)
	if err != nil {
		return err.Error()
	}
	return got.header.Get("X-Total-Count") + " " + got.body
}
