package sign

import (
	"fmt"
	"io"
)

// Secret holds a key that must not be printed: no verb of fmt, no encoder and no logger shows it. It is
// behind a pointer, because fmt asks no Formatter about a field that is not exported.
type Secret struct{ value *string }

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal returns the wrapped value, for the few places that compute with it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Format writes a placeholder, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, "[secret]") }

// MarshalText encodes as a placeholder, in JSON and in slog.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
