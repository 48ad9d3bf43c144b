package server

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/ledger"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// This file has all calls of the ledger. Without one they do nothing.

// allow asks the ledger whether r may be signed.
func (s *server) allow(ctx context.Context, owner string, r *sign.Request) error {
	if s.Ledger == nil {
		return nil
	}
	return s.Ledger.Allow(ctx, owner, r)
}

// recordStored records that u is in the bucket. It fails if u is not the expected file, or another upload was faster.
func (s *server) recordStored(ctx context.Context, u *hooks.Upload) error {
	if s.Ledger == nil {
		return nil
	}
	stored := ledger.Upload{Key: u.Key, Owner: u.Owner, Metadata: u.Metadata, ETag: u.ETag}
	if s.VerifySuccess { // else the size is not known
		stored.Sizes = &sign.SizeRange{Min: u.Size, Max: u.Size}
	}
	return s.Ledger.Store(ctx, stored)
}

// recordResult records that the upload was accepted, or refused because of err, and returns err. Any other error leaves
// it stored: its page reports it again.
func (s *server) recordResult(ctx context.Context, key string, err error) error {
	if s.Ledger == nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // the hook has been called
	if err == nil {
		return s.Ledger.Accept(ctx, key)
	}
	if e := toAPIError(err); isRefusal(statuses[e.Code]) {
		err = errors.Join(err, s.Ledger.Refuse(ctx, key, message(e)))
	}
	return err
}

// isRefusal reports whether a response with that status is about the upload, and not about the caller or the server.
func isRefusal(status int) bool {
	return status/100 == 4 && status != http.StatusUnauthorized && status != http.StatusTooManyRequests
}

func (s *server) recordDeleted(ctx context.Context, key string) error {
	if s.Ledger == nil {
		return nil
	}
	return s.Ledger.Delete(ctx, key)
}

// withoutUnaccepted leaves out the objects that the ledger knows and has not accepted.
func (s *server) withoutUnaccepted(ctx context.Context, entries []s3.Entry) ([]s3.Entry, error) {
	if s.Ledger == nil {
		return entries, nil
	}
	keys := make([]string, len(entries))
	for i, entry := range entries {
		keys[i] = entry.Key
	}
	unaccepted, err := s.Ledger.Unaccepted(ctx, keys)
	return slices.DeleteFunc(entries, func(e s3.Entry) bool { return unaccepted[e.Key] }), err
}
