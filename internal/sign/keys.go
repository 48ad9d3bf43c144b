package sign

// KeyPair is an access key and its secret key.
type KeyPair struct {
	AccessKey string
	SecretKey Secret
}

// SetKeys replaces the key pairs. old, if it is not zero, signs only for pages that use it.
func (s *Signer) SetKeys(current, old KeyPair) {
	keys := []*KeyPair{&current}
	if old.AccessKey != "" {
		keys = append(keys, &old)
	}
	s.keys.Store(&keys)
}

// AccessKey returns the access key for new pages.
func (s *Signer) AccessKey() string { return s.currentKey().AccessKey }

func (s *Signer) currentKey() *KeyPair { return (*s.keys.Load())[0] }

// findKey returns the pair of an access key, or nil.
func (s *Signer) findKey(accessKey string) *KeyPair {
	for _, key := range *s.keys.Load() {
		if key.AccessKey == accessKey {
			return key
		}
	}
	return nil
}

// SelectKey makes Sign use the pair that the page uses. accessKey is what the page says; empty: it says nothing, and r
// is signed with the current pair or with that of its policy.
func (s *Signer) SelectKey(r *Request, accessKey string) error {
	if accessKey == "" || accessKey == r.key.AccessKey {
		return nil
	}
	key := s.findKey(accessKey)
	if key == nil || r.Operation == PostObject && r.Version == V4 { // whose policy names the key
		return s.errAccessKey(accessKey)
	}
	r.key = key
	return nil
}

func (s *Signer) errAccessKey(accessKey string) error {
	return configError("The page has another access key; reload the page, or set request.accessKey in client_conf.js to "+
		"the server's AWS_CLIENT_ACCESS_KEY.", abbreviate(accessKey), s.AccessKey())
}
