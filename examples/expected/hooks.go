package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"s3-sign-srv/internal/hooks"
)

// myHooks has what the hooks of this program need. They are called concurrently.
type myHooks struct {
	log      *slog.Logger
	app      application
	expected expectedFiles
	types    fileTypes
	events   *events
}

// newHooks is called once, at startup. An error stops the server.
func newHooks(ctx context.Context, cfg hooks.Config) (hooks.Funcs, error) {
	funcs, err := hooks.New(ctx, cfg) // the shipped hooks, for those that are not replaced below
	if err != nil {
		return funcs, err
	}
	expected, err := openExpectedFiles(ctx, cfg.Getenv("APP_DATABASE"))
	if err != nil {
		return funcs, err
	}
	h := &myHooks{
		log:      cfg.Log,
		app:      newApplication(cfg.Getenv("APP_WHOAMI")),
		expected: expected,
		types:    fileTypes{".txt": {10_000_000, "text/plain"}, ".bam": {200_000_000_000, ""}},
		events:   newEvents(cfg.Getenv("APP_EVENTS"), cfg.Log),
	}
	funcs.Identify = h.identify
	funcs.ChallengeIsGood = h.challengeIsGood
	funcs.Success = h.success
	funcs.Deleted = h.deleted
	funcs.List = h.list
	funcs.Close = h.close
	return funcs, nil
}

// identify returns the owner of the caller's uploads. It is called before every other hook.
func (h *myHooks) identify(ctx context.Context, r *http.Request) (owner string, err error) {
	return h.app.owner(ctx, r)
}

// challengeIsGood decides whether the server signs the request that c describes.
func (h *myHooks) challengeIsGood(ctx context.Context, c *hooks.Challenge) error {
	if err := h.types.checkRequest(c); err != nil {
		return err
	}
	return h.expected.check(ctx, c)
}

// success is called for an upload that is in the bucket.
func (h *myHooks) success(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
	if err := h.types.checkUpload(u); err != nil {
		return nil, deleteRejected(ctx, u, err)
	}
	isNew, err := h.expected.record(ctx, u)
	if errors.Is(err, errTakenOver) {
		return nil, deleteRejected(ctx, u, err)
	}
	if err != nil {
		return nil, err
	}
	if isNew { // what must happen once for each upload
		h.log.InfoContext(ctx, "success", "owner", u.Owner, "key", u.Key, "size", u.Size)
		h.events.send(ctx, u.Key)
	}
	return hooks.Reply{"dataset": u.Metadata["dataset"]}, nil
}

// deleted is called when an object was deleted.
func (h *myHooks) deleted(ctx context.Context, d *hooks.Deletion) error {
	return h.expected.reopen(ctx, d.Key)
}

// list leaves out what success would reject.
func (h *myHooks) list(ctx context.Context, uploads []*hooks.Upload) ([]*hooks.Upload, error) {
	return slices.DeleteFunc(uploads, func(u *hooks.Upload) bool { return h.types.checkUpload(u) != nil }), nil
}

// close is called when the server stops, after the last request.
func (h *myHooks) close(ctx context.Context) error {
	return errors.Join(h.events.wait(ctx), h.expected.db.Close())
}
