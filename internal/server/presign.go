package server

import (
	"net/http"
	"strings"

	"s3-sign-srv/internal/hooks"
)

// presign handles POST /s3/presign, which Uppy's signRequest calls. A small file gets a form, every other request a
// presigned URL. With OwnUploadsOnly the key of a new object gets the owner in front.
//
//	{"method":"PUT","key":"a.txt","contentType":"text/plain"} → {"url":"…","bucket":"…","key":"…","fields":{…}}
//	{"method":"PUT","key":"…","uploadId":"…","partNumber":1}  → {"url":"…","bucket":"…","key":"…"}
func (s *server) presign(r *http.Request) (any, error) {
	body, err := readJSON(r, "use static/uppy/sign-server.js, or set this Content-Type in signRequest.")
	if err != nil {
		return nil, err
	}
	request, err := s.Signer.ParsePresign(body, s.Now())
	if err != nil {
		return nil, err
	}
	request, err = s.challenge(&hooks.Challenge{Request: request, HTTP: r, Client: hooks.Uppy})
	if err != nil {
		return nil, err
	}
	return s.Signer.Presign(request)
}

// addOwner puts the owner in front of the key of a new object, unless it is there.
func (s *server) addOwner(c *hooks.Challenge) error {
	if c.Client != hooks.Uppy || !s.OwnUploadsOnly || !c.IsInitiate() || strings.HasPrefix(c.Key, c.Owner+"/") {
		return nil
	}
	request, err := s.Signer.WithKey(c.Request, c.Owner+"/"+c.Key)
	if err == nil {
		c.Request = request
	}
	return err
}
