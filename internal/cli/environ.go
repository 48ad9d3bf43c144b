package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
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
// getenv is nil and the error lists every wrong line; otherwise the error lists every unknown setting.
func readEnviron(file string, env environ) (getenv func(string) string, err error) {
	all := environ{}
	if file != "" {
		if all, err = readEnvFile(file, env); err != nil {
			return nil, err
		}
	}
	if err := export(all, env, file); err != nil {
		return nil, err
	}
	for name, value := range env {
		if value != "" || all[name] == "" { // an empty variable counts as unset
			all[name] = value
		}
	}
	return all.get, unknownSettings(all)
}

// runtimeVariables matches the variables that Go's runtime reads before main.
var runtimeVariables = regexp.MustCompile(`^(GODEBUG|GOGC|GOMAXPROCS|GOMEMLIMIT|GOTRACEBACK)$`)

// export sets the other variables of the file for this process, where libraries look for HTTPS_PROXY, SSL_CERT_FILE and
// others. The settings, with the keys, stay out of it.
func export(variables, env environ, file string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		switch {
		case env[name] != "" || slices.Contains(config.Names(), name):
		case runtimeVariables.MatchString(name):
			const text = "%s has no effect in %s, because Go reads it before the file; set it in the environment"
			errs = append(errs, fmt.Errorf(text, name, file))
		default:
			errs = append(errs, os.Setenv(name, variables[name]))
		}
	}
	return errors.Join(errs...)
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
		fix := "remove it, or see s3-sign-srv help settings"
		if similar != "" {
			fix = "write " + similar + " if you mean that, or remove it"
		}
		if isOurs || similar != "" && env[similar] == "" {
			errs = append(errs, fmt.Errorf("%s is not a setting, and would have no effect; %s", name, fix))
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
