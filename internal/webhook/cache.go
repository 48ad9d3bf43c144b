package webhook

import (
	"crypto/sha256"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	lru "github.com/hashicorp/golang-lru/v2"
)

// maxCached is the number of responses that are kept: those used last. Each has an owner of at most 512 bytes.
const maxCached = 10_000

// cache keeps what the application has allowed, for as long as its responses name.
type cache struct {
	entries *lru.Cache[cacheKey, cached]
}

// cacheKey is a digest of everything that the decision can depend on.
type cacheKey [sha256.Size]byte

type cached struct {
	owner   string // from identify
	expires time.Time
}

func newCache() *cache {
	entries, err := lru.New[cacheKey, cached](maxCached)
	if err != nil {
		panic("webhook: " + err.Error()) // only for a size of 0
	}
	return &cache{entries}
}

// keyOf returns the key of a message with the given parts.
func keyOf(parts ...any) (cacheKey, error) {
	encoded, err := json.Marshal(parts, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	return sha256.Sum256(encoded), err
}

func (c *cache) get(key cacheKey) (owner string, ok bool) {
	entry, ok := c.entries.Get(key)
	if !ok || !time.Now().Before(entry.expires) {
		return "", false
	}
	return entry.owner, true
}

func (c *cache) add(key cacheKey, owner string, seconds int) {
	if seconds > 0 {
		c.entries.Add(key, cached{owner, time.Now().Add(time.Duration(seconds) * time.Second)})
	}
}
