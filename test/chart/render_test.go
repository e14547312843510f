package chart

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var update = flag.Bool("update", false, "write the golden files anew")

// valueFiles are those that are rendered: the tests' own and the examples.
func valueFiles(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"testdata/values-*.yaml", filepath.Join(root, "examples", "values-*.yaml")} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		all = append(all, files...)
	}
	return all
}

func TestRenderedIsGolden(t *testing.T) {
	for _, file := range valueFiles(t) {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "values-"), ".yaml")
		t.Run(name, func(t *testing.T) {
			out, err := template(t, "--values="+file)
			got := must(t, out, err)
			objects(t, got) // each of them decodes strictly
			golden := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-golden +rendered; -update writes it anew):\n%s", diff)
			}
		})
	}
}

func TestLint(t *testing.T) {
	for _, file := range valueFiles(t) {
		out, err := run(t, "helm", nil, "lint", "--strict", folder, "--values="+file)
		must(t, out, err)
	}
}

// TestInvalidValuesAreRefused: in one line, which names the value.
func TestInvalidValuesAreRefused(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid-*.yaml")
	if err != nil || len(files) < 18 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			words, marked := strings.CutPrefix(first, "# refused: ")
			if !marked {
				t.Fatalf("begins with %q, want # refused: WORDS", first)
			}
			if out, err := template(t, "--values="+file); err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%v, want %q; rendered:\n%.200s", err, words, out)
			}
		})
	}
}

// TestRightsAreThoseOfConfig: the chart's rules and config/rbac's are the same, but for the Secrets that values name.
func TestRightsAreThoseOfConfig(t *testing.T) {
	out, err := template(t, "--set=bootstrapIP=10.0.0.1,takeover.enabled=true,takeover.namespace=boot,takeover.remoteCheckSecret=lab-kubeconfig,dhcpServices.namespace=boot,dhcpServices.secretNames={tugboot-kea}")
	rendered := objects(t, must(t, out, err))
	seen := 0
	for _, c := range []struct{ file, suffix string }{{"role.yaml", ""}, {"takeover/role.yaml", "-takeover"}, {"dhcpservice/role.yaml", "-dhcpservice"}, {"remote-check/role.yaml", "-remote-check"}} {
		text, err := os.ReadFile(filepath.Join(root, "config", "rbac", c.file))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range objects(t, string(text)) {
			if want.GetKind() == "RoleBinding" {
				continue
			}
			seen++
			got := find(t, rendered, want.GetKind(), "tugboot"+c.suffix)
			if c.suffix == "-remote-check" { // whose comment asks for this
				want.Object["rules"].([]any)[0].(map[string]any)["resourceNames"] = []any{"lab-kubeconfig"}
			}
			if diff := cmp.Diff(want.Object["rules"], got.Object["rules"]); diff != "" {
				t.Errorf("%s %s (-config +chart):\n%s", want.GetKind(), got.GetName(), diff)
			}
			bound(t, rendered, got)
		}
	}
	if roles := count(rendered, "Role") + count(rendered, "ClusterRole"); seen != 5 || roles != seen {
		t.Errorf("%d roles in config/rbac, %d in the chart, want 5", seen, roles)
	}
}

// bound asserts that a role is bound to the release's account, and to nobody else.
func bound(t *testing.T, all []*unstructured.Unstructured, role *unstructured.Unstructured) {
	t.Helper()
	binding := find(t, all, role.GetKind()+"Binding", role.GetName())
	want := map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": role.GetKind(), "name": role.GetName()}
	subjects := []any{map[string]any{"kind": "ServiceAccount", "name": "tugboot", "namespace": "eksa-system"}}
	if diff := cmp.Diff([]any{want, subjects}, []any{binding.Object["roleRef"], binding.Object["subjects"]}); diff != "" || binding.GetNamespace() != role.GetNamespace() {
		t.Errorf("%s:\n%s", binding.GetName(), diff)
	}
}

func count(all []*unstructured.Unstructured, kind string) (n int) {
	for _, o := range all {
		if o.GetKind() == kind {
			n++
		}
	}
	return n
}

// TestConfigDefaultIsTheChart: kustomize's Deployment has the pod that the chart has for the same settings.
func TestConfigDefaultIsTheChart(t *testing.T) {
	out, err := run(t, "kubectl", nil, "kustomize", filepath.Join(root, "config", "default"))
	config := objects(t, must(t, out, err))
	out, err = template(t, "--set=bootstrapIP=192.168.2.112,takeover.enabled=true,hookURL=http://192.168.2.112:8080/hook,image.tag=latest")
	rendered := objects(t, must(t, out, err))
	spec := func(all []*unstructured.Unstructured) any {
		return find(t, all, "Deployment", "tugboot").Object["spec"]
	}
	want, got := spec(rendered).(map[string]any), spec(config).(map[string]any)
	for _, s := range []map[string]any{want, got} { // Helm has a label for the release
		delete(s["selector"].(map[string]any)["matchLabels"].(map[string]any), "app.kubernetes.io/instance")
		delete(s["template"].(map[string]any)["metadata"].(map[string]any)["labels"].(map[string]any), "app.kubernetes.io/instance")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-chart +config/default):\n%s", diff)
	}
	for _, kind := range []string{"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "ServiceAccount", "Role", "RoleBinding", "Namespace"} {
		if count(config, kind) == 0 {
			t.Errorf("config/default has no %s", kind)
		}
	}
}

// TestMetricsThatAreWatchedExist: every metric in the alerts and the dashboard is one that the code registers.
func TestMetricsThatAreWatchedExist(t *testing.T) {
	registered := map[string]bool{}
	for _, pattern := range []string{"controllers/*.go", "internal/*/*.go", "internal/*/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			subsystem := ""
			if m := regexp.MustCompile(`Namespace: "tugboot", Subsystem: "([a-z]+)"`).FindStringSubmatch(string(text)); m != nil {
				subsystem = "tugboot_" + m[1] + "_"
			}
			for _, m := range regexp.MustCompile(`"(tugboot_[a-z_]+|[a-z]+(?:_[a-z]+)+)"`).FindAllStringSubmatch(string(text), -1) {
				if strings.HasPrefix(m[1], "tugboot_") {
					registered[m[1]] = true
				} else if subsystem != "" {
					registered[subsystem+m[1]] = true
				}
			}
		}
	}
	watched := 0
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		text, err := os.ReadFile(filepath.Join(folder, "files", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`tugboot_[a-z_]+`).FindAllString(string(text), -1) {
			watched++
			if !registered[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("%s: %s is registered nowhere", file, name)
			}
		}
	}
	if watched < 20 {
		t.Errorf("only %d metrics are watched", watched)
	}
}
