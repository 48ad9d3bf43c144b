package sign

import (
	"crypto/hmac"
	"hash"
	"sync"
)

// macPool computes HMACs under one key. It keeps the hashes, which hold the key's two padded blocks
// ready: to make one anew costs as much as a signature and most of its allocations.
type macPool struct{ pool sync.Pool }

// mac is a hash and the last sum it gave.
type mac struct {
	hash hash.Hash
	sum  []byte
}

func newMACPool(h func() hash.Hash, key []byte) *macPool {
	return &macPool{sync.Pool{New: func() any { return &mac{hash: hmac.New(h, key)} }}}
}

// get returns the HMAC of text as the mac's sum, which is good until put.
func (p *macPool) get(text []byte) *mac {
	m := p.pool.Get().(*mac)
	m.hash.Reset()
	m.hash.Write(text)
	m.sum = m.hash.Sum(m.sum[:0])
	return m
}

func (p *macPool) put(m *mac) { p.pool.Put(m) }
