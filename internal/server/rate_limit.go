package server

import (
	"math"
	"net/http"
	"time"

	"github.com/go-chi/httprate"
)

// rateWindow is the time over which Rate is averaged, so that a burst may have ten times as many requests.
const rateWindow = 10 * time.Second

// newLimiter returns a middleware that responds with 429 to an address with too many requests. It counts all routes
// that use it together.
func (s *server) newLimiter() func(http.Handler) http.Handler {
	if s.Rate <= 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	requests := int(math.Ceil(s.Rate * rateWindow.Seconds()))
	byAddress := func(r *http.Request) (string, error) { return httprate.CanonicalizeIP(remoteAddr(r)), nil }
	onLimit := func(w http.ResponseWriter, r *http.Request) { s.writeError(w, r, errRateLimited) }
	return httprate.NewRateLimiter(requests, rateWindow,
		httprate.WithKeyFuncs(byAddress), httprate.WithLimitHandler(onLimit)).Handler
}
