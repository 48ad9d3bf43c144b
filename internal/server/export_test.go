package server

import "github.com/go-chi/chi/v5"

// Routes is what New serves, for the tests that have to know every route.
func Routes(cfg Config) chi.Routes { return (&server{Config: cfg}).routes().(chi.Routes) }
