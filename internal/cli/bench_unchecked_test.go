package cli

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// uncheckedMain is the simplest server that signs, with the router and the process settings of the built one: it checks
// nothing, calls no hook and logs nothing.
func uncheckedMain() {
	tuneGC()
	mux := chi.NewRouter()
	mux.Post("/s3/sign", signUnchecked)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("open http://" + listener.Addr().String())
	log.Fatal(newServer(mux).Serve(listener))
}

// signUnchecked signs a policy or a string to sign.
func signUnchecked(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var request struct{ Headers string }
	if err := json.Unmarshal(body, &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var response struct {
		Policy    string `json:"policy,omitempty"`
		Signature string `json:"signature"`
	}
	isV4, text := r.URL.Query().Get("v4") == "true", request.Headers
	switch {
	case text == "":
		text = base64.StdEncoding.EncodeToString(body)
		response.Policy = text
	case isV4:
		lines := strings.SplitN(text, "\n", 4) // the last one is the canonical request
		digest := sha256.Sum256([]byte(lines[3]))
		text = strings.Join(lines[:3], "\n") + "\n" + hex.EncodeToString(digest[:])
	}
	secret := os.Getenv("AWS_CLIENT_SECRET_KEY")
	if isV4 {
		key := []byte("AWS4" + secret)
		for _, step := range []string{time.Now().UTC().Format("20060102"), "us-east-1", "s3", "aws4_request"} {
			key = hmacOf(sha256.New, key, step)
		}
		response.Signature = hex.EncodeToString(hmacOf(sha256.New, key, text))
	} else {
		response.Signature = base64.StdEncoding.EncodeToString(hmacOf(sha1.New, []byte(secret), text))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(response)
}

func hmacOf(newHash func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(newHash, key)
	io.WriteString(mac, text)
	return mac.Sum(nil)
}
