//go:build e2e

package e2e

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promtool runs promtool in dir with stdin.
func promtool(t *testing.T, dir, stdin string, args ...string) {
	t.Helper()
	command := exec.Command("promtool", args...)
	command.Dir, command.Stdin = dir, strings.NewReader(stdin)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
}

// TestAlerts runs promtool's tests of the alerts.
func TestAlerts(t *testing.T) {
	promtool(t, "testdata", "", "test", "rules", "alerts_test.yml")
}

// TestMetrics lets Prometheus's own tool check the metrics of a server, and wants every metric that the dashboard and
// the alerts use among them.
func TestMetrics(t *testing.T) {
	srv := startHTTPS(t, settings{
		"P3S3F_HOST_PORT": "0", "P3S3F_METRICS_ADDRESS": "127.0.0.1:0", "P3S3F_OWN_UPLOADS_ONLY": "0",
		"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_DEST_BUCKET": "mybucket", "AWS_ENDPOINT": "http://127.0.0.1:1",
	})
	address := regexp.MustCompile(`msg="serving metrics" address=(\S+)`).FindStringSubmatch(srv.output.String())
	if address == nil {
		t.Fatal("the log has no address of the metrics")
	}
	// It fails at the store, after the hooks.
	request, err := http.NewRequest("DELETE", srv.url+"/s3/delete/5176-887?bucket=mybucket&key=a.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	res, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res, err = http.Get(address[1]); err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, ".", string(text), "check", "metrics")
	document, err := os.ReadFile("../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range regexp.MustCompile(`(?m)^# TYPE (s3_sign_srv_\w+)`).FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(string(document), "| `"+metric[1]) {
			t.Errorf("docs/production.md does not describe %s", metric[1])
		}
	}

	expressions := dashboardExpressions(t)
	promtool(t, ".", "", "check", "rules", recordingRules(t, expressions))
	alerts, err := os.ReadFile("../deploy/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\b(?:s3_sign_srv|go|process)_\w+`)
	used := names.FindAllString(strings.Join(expressions, " ")+string(alerts), -1)
	if len(used) < 15 {
		t.Errorf("the dashboard and the alerts use only %v", used)
	}
	for _, name := range used {
		if !strings.Contains(string(text), "\n"+name+"{") && !strings.Contains(string(text), "\n"+name+" ") {
			t.Errorf("there is no metric %s", name)
		}
	}
}

// dashboardExpressions are the queries of the panels.
func dashboardExpressions(t *testing.T) (list []string) {
	t.Helper()
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	text, err := os.ReadFile("../deploy/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			list = append(list, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// recordingRules writes the expressions into a file that promtool can check.
func recordingRules(t *testing.T, expressions []string) (file string) {
	t.Helper()
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for _, expression := range expressions {
		rules = append(rules, rule{"panel", expression})
	}
	text, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "rules.json") // JSON is YAML
	writeFile(t, file, string(text))
	return file
}
