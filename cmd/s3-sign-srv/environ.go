package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"s3-sign-srv/internal/config"
)

// environ is an environment: values by name.
type environ map[string]string

// parseEnviron reads NAME=value, as os.Environ returns them.
func parseEnviron(lines []string) environ {
	env := make(environ, len(lines))
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

func (e environ) get(name string) string { return e[name] }

// readEnviron returns the variables of env, and those of the file that env does not set. If the file cannot be read,
// getenv is nil and the error lists every wrong line; otherwise the error lists every name that must be a mistake.
func readEnviron(file string, env environ) (getenv func(string) string, err error) {
	all := environ{}
	if file != "" {
		if all, err = readEnvFile(file, env); err != nil {
			return nil, err
		}
	}
	for name, value := range env {
		if value != "" || all[name] == "" { // an empty variable counts as unset
			all[name] = value
		}
	}
	return all.get, unknownSettings(all)
}

// kubernetesLink matches the variables that Kubernetes sets in every pod for a service called p3s3f.
var kubernetesLink = regexp.MustCompile(`^P3S3F_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)`)

// unknownSettings rejects a name that begins with P3S3F_ and is no setting, and a name of AWS_ that resembles a setting
// that is not set: a restriction with a misspelled name would have no effect.
func unknownSettings(env environ) error {
	var errs []error
	known := config.Names()
	for _, name := range slices.Sorted(maps.Keys(env)) {
		isOurs := strings.HasPrefix(name, "P3S3F_")
		if !isOurs && !strings.HasPrefix(name, "AWS_") || slices.Contains(known, name) || kubernetesLink.MatchString(name) {
			continue
		}
		similar := suggest(name, known)
		_, isSet := env[similar]
		switch {
		case similar != "" && (isOurs || !isSet):
			const text = "%s is not a setting, and would have no effect; write %s if you mean that, or remove it"
			errs = append(errs, fmt.Errorf(text, name, similar))
		case isOurs:
			const text = "%s is not a setting, and would have no effect; remove it, or see s3-sign-srv help settings"
			errs = append(errs, fmt.Errorf(text, name))
		}
	}
	return errors.Join(errs...)
}

// suggest returns the known name with the fewest edits to name, empty if that takes more than two.
func suggest(name string, known []string) string {
	edits := func(k string) int { return levenshtein.ComputeDistance(name, k) }
	best := slices.MinFunc(known, func(a, b string) int { return edits(a) - edits(b) })
	if edits(best) > 2 {
		return ""
	}
	return best
}
