package chart

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/test/need"
)

// judge runs one of the programs of hack/chart-tools.sh on a text, and returns its output whatever its exit code says.
func judge(t *testing.T, program, stdin string, args ...string) (string, int) {
	t.Helper()
	tools := os.Getenv("TUGBOOT_CHART_TOOLS")
	if tools == "" {
		need.File(t, "TUGBOOT_CHART_TOOLS", "run `make chart`, which sets it, or set it to what hack/chart-tools.sh prints")
	}
	command := exec.CommandContext(t.Context(), filepath.Join(tools, program), args...)
	command.Stdin = strings.NewReader(stdin)
	out, err := command.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), command.ProcessState.ExitCode()
}

// TestKubeconform: every object has just the fields that a real API server of the pinned version knows for its kind, our CRDs' and
// Prometheus' operator's included; one with a misspelt field is refused, so that the check is known to check.
func TestKubeconform(t *testing.T) {
	c := start(t)
	installCRDs(c)
	location := filepath.Join(schemas(t, c), "{{.ResourceKind}}{{.KindSuffix}}.json")
	conform := func(text string) (string, int) {
		return judge(t, "kubeconform", text, "-strict", "-schema-location="+location, "-output=json", "-summary")
	}
	for _, file := range valueFiles(t) {
		out, err := run(t, "helm", nil, "template", "tugboot", folder, "--namespace=eksa-system", "--values="+file)
		text := must(t, out, err)
		report, code := conform(text)
		var counted struct {
			Summary struct{ Valid, Invalid, Errors, Skipped int }
		}
		if err := json.Unmarshal([]byte(report), &counted); err != nil {
			t.Fatalf("%v in %s", err, report)
		}
		if s := counted.Summary; code != 0 || s.Valid != len(objects(t, text)) || s.Skipped != 0 {
			t.Errorf("%s: exit code %d of %d objects:\n%s", file, code, len(objects(t, text)), report)
		}
		misspelt := strings.Replace(text, "hostNetwork:", "hostNetworks:", 1)
		if report, code := conform(misspelt); code == 0 || !strings.Contains(report, "hostNetworks") {
			t.Errorf("%s: hostNetworks is taken:\n%s", file, report)
		}
	}
}

// remaining is what kube-score finds in the chart, and why it stays.
var remaining = map[string]string{
	"pod-networkpolicy":           "a NetworkPolicy does not reach pods on the node's network, where machines' broadcasts are heard",
	"container-image-pull-policy": "IfNotPresent: a node that restarts must boot machines again before any registry is reached; values may say Always",
	"container-resources":         "no CPU limit: it would throttle the answers just when a whole hall of machines asks at once",
}

// asRoot is what it finds besides where values ask for user 0 and two replicas.
var asRoot = map[string]string{
	"container-security-context-user-group-id": "runAsUser: 0 is for container runtimes that hand no capability to other users",
	"deployment-has-host-podantiaffinity":      "the host ports keep two pods off one node already",
}

// TestKubeScore: nothing but that, and all of that.
func TestKubeScore(t *testing.T) {
	for _, file := range valueFiles(t) {
		known := maps.Clone(remaining)
		if filepath.Base(file) == "values-root.yaml" {
			maps.Copy(known, asRoot)
		}
		out, err := template(t, "--values="+file)
		report, _ := judge(t, "kube-score", must(t, out, err), "score", "--output-format=json", "--output-version=v2", "-")
		got := map[string]string{}
		for check, said := range findings(t, report) {
			got[check] = known[check]
			if known[check] == "" {
				got[check] = said
			}
		}
		if diff := cmp.Diff(known, got); diff != "" {
			t.Errorf("%s (-known +found):\n%s", file, diff)
		}
	}
}

// findings are the checks of a kube-score report that were not passed, with what it says.
func findings(t *testing.T, report string) map[string]string {
	t.Helper()
	var scored []struct {
		ObjectName string `json:"object_name"`
		Checks     []struct {
			Check    struct{ ID string }
			Grade    int
			Skipped  bool
			Comments []struct{ Summary string }
		}
	}
	if err := json.Unmarshal([]byte(report), &scored); err != nil || len(scored) == 0 {
		t.Fatalf("%v in %.500s", err, report)
	}
	const passed = 10
	all := map[string]string{}
	for _, object := range scored {
		for _, check := range object.Checks {
			if !check.Skipped && check.Grade < passed {
				all[check.Check.ID] = object.ObjectName
				for _, comment := range check.Comments {
					all[check.Check.ID] += ": " + comment.Summary
				}
			}
		}
	}
	return all
}
