package hooks

import (
	"strings"

	"s3-sign-srv/internal/sign"
)

// maxOwner is the longest owner, in bytes, so that at least half of a key is left for the file.
const maxOwner = 512

// IsValidOwner reports whether owner and a slash can begin a key: whole segments, none empty, nothing that a browser or
// a store would resolve.
func IsValidOwner(owner string) bool {
	return sign.CheckKey(owner) == nil && len(owner) <= maxOwner &&
		!strings.HasSuffix(owner, "/") && !strings.Contains(owner, "//")
}
