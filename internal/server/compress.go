package server

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compress compresses the text files of the page, for clients that accept it. They have no secrets, so the length of a
// response tells nothing (BREACH). Errors are never compressed.
func compress(next http.Handler) http.Handler {
	wrapper, err := gzhttp.NewWrapper(
		gzhttp.EnableZstd(false), // at the speed of gzip it is larger
		gzhttp.ContentTypes([]string{"text/html", "text/css", "text/javascript", "image/svg+xml"}),
	)
	if err != nil {
		panic("server: " + err.Error()) // only for options out of range
	}
	return wrapper(next)
}
