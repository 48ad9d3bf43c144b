package server

import "github.com/go-chi/chi/v5"

// Routes returns the routes of New, for tests of every route.
func Routes(cfg Config) chi.Routes { return (&server{Config: cfg}).routes().(chi.Routes) }
