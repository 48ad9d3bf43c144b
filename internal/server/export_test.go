package server

import (
	"maps"
	"slices"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/apierror"
)

// Routes returns the routes of New, for tests of every route.
func Routes(cfg Config) chi.Routes { return (&server{Config: cfg}).routes().(chi.Routes) }

// Codes are the error codes that have a status.
func Codes() []apierror.Code { return slices.Collect(maps.Keys(statuses)) }
