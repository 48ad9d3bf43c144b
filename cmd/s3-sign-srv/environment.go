package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"s3-sign-srv/internal/config"
)

// variables are those of an environment, by name.
type variables map[string]string

// readVariables reads NAME=value, as os.Environ gives them.
func readVariables(environ []string) variables {
	vars := make(variables, len(environ))
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		vars[name] = value
	}
	return vars
}

func (v variables) get(name string) string { return v[name] }

// environment returns a reader of vars, and below them of the file. The error lists every line of the file that cannot be
// read, and getenv is nil then; or else every name that must be a mistake.
func environment(file string, vars variables) (getenv func(string) string, err error) {
	all := variables{}
	if file != "" {
		if all, err = readEnvFile(file, vars); err != nil {
			return nil, err
		}
	}
	maps.Copy(all, vars)
	return all.get, misspelt(all)
}

// linked are the names that Kubernetes gives the address of a service called p3s3f, in every pod beside it.
var linked = regexp.MustCompile(`^P3S3F_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)`)

// misspelt refuses a name of ours that nobody reads, and one that is almost another of the settings, which is not set: it would
// have no effect, and what it was to forbid would be allowed.
func misspelt(vars variables) error {
	var faults []error
	known := append(config.Names(), "P3S3F_EXAMPLE_ALLOW_SMALL", "P3S3F_EXAMPLE_ALLOW_LARGE") // of the shipped hooks
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		ours := strings.HasPrefix(name, "P3S3F_")
		if !ours && !strings.HasPrefix(name, "AWS_") || slices.Contains(known, name) || linked.MatchString(name) {
			continue
		}
		meant := nearest(name, known)
		_, set := vars[meant]
		switch {
		case meant != "" && (ours || !set):
			faults = append(faults, fmt.Errorf("%s is not a setting, and would have no effect; write %s if you mean that, or take it out", name, meant))
		case ours:
			faults = append(faults, fmt.Errorf("%s is not a setting, and would have no effect; take it out, or look up its name in the README", name))
		}
	}
	return errors.Join(faults...)
}
