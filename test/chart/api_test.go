package chart

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/tugboot/tugboot/test/need"
)

// cluster is an API server without nodes, for one test.
type cluster struct {
	t          *testing.T
	kubeconfig string
}

// start starts etcd and kube-apiserver.
func start(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		need.File(t, "KUBEBUILDER_ASSETS", "run `make chart`, which sets it, or set it to what hack/control-plane.sh prints")
	}
	environment := &envtest.Environment{}
	if _, err := environment.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	user, err := environment.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t, filepath.Join(t.TempDir(), "kubeconfig")}
	if err := os.WriteFile(c.kubeconfig, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) try(program string, args ...string) (string, error) {
	c.t.Helper()
	return run(c.t, program, []string{"KUBECONFIG=" + c.kubeconfig}, args...)
}

func (c *cluster) kubectl(args ...string) string {
	c.t.Helper()
	out, err := c.try("kubectl", args...)
	return must(c.t, out, err)
}

func (c *cluster) helm(args ...string) string {
	c.t.Helper()
	out, err := c.try("helm", args...)
	return must(c.t, out, err)
}

// apply applies a text.
func (c *cluster) apply(text string, args ...string) (string, error) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "objects.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return c.try("kubectl", append([]string{"apply", "--server-side", "--validate=strict", "--filename=" + file}, args...)...)
}

// ensure applies a text that must be taken.
func (c *cluster) ensure(text string) {
	c.t.Helper()
	if _, err := c.apply(text); err != nil {
		c.t.Fatal(err)
	}
}

// crds are the CRDs of a cluster that the chart knows, each with its release and its description.
func (c *cluster) crds() map[string]string {
	c.t.Helper()
	all := map[string]string{}
	out := c.kubectl("get", "crd", `--output=jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations.meta\.helm\.sh/release-namespace}/{.metadata.annotations.meta\.helm\.sh/release-name}{"\n"}{end}`)
	for line := range strings.Lines(out) {
		name, owner, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = owner
	}
	return all
}

const release = "--namespace=eksa-system"

// older is the chart as an earlier version of it could have been: with another version, and a CRD that lacks a column.
func older(t *testing.T) string {
	t.Helper()
	into := filepath.Join(t.TempDir(), "tugboot")
	if err := os.CopyFS(into, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	edit := func(file, from, to string) {
		path := filepath.Join(into, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := regexp.MustCompile(from).ReplaceAllString(string(text), to)
		if changed == string(text) {
			t.Fatalf("%s: %s is not in it", file, from)
		}
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit("Chart.yaml", `(?m)^(version|appVersion): .*$`, "$1: 0.0.9")
	edit("files/crd/tugboot.dev_takeovers.yaml", `name: Next-Server`, "name: Before")
	return into
}

// TestLifeOfARelease: installed, upgraded from an earlier version, rolled back, uninstalled and installed again. CRDs follow the
// version, and neither they nor the objects of theirs are ever deleted.
func TestLifeOfARelease(t *testing.T) {
	c := start(t)
	values := []string{release, "--set=tinkerbellIP=192.168.2.50,takeover.enabled=true,takeover.create=true"}
	column := func() string {
		return c.kubectl("get", "crd", "takeovers.tugboot.dev", "--output=jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}")
	}
	step := func(what, wantColumn string, args ...string) {
		t.Helper()
		c.helm(args...)
		if !strings.Contains(column(), wantColumn) {
			t.Errorf("%s: the CRD has the columns %s, want %s", what, column(), wantColumn)
		}
		for _, name := range []string{"takeovers.tugboot.dev", "dhcpservices.tugboot.dev", "hardware.tinkerbell.org"} {
			if c.crds()[name] != "eksa-system/tugboot" {
				t.Errorf("%s: CRD %s is %q's", what, name, c.crds()[name])
			}
		}
		c.kubectl("get", "takeover", "tugboot", release)
	}
	// The API knows a kind some moments after its CRD: the object comes with the second revision.
	c.helm("install", "tugboot", older(t), release, "--create-namespace", "--set=tinkerbellIP=192.168.2.50")
	c.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/takeovers.tugboot.dev")
	step("upgraded", "Next-Server", append([]string{"upgrade", "tugboot", folder}, values...)...)
	step("rolled back", "Before", "rollback", "tugboot", "1", release)
	step("uninstalled", "Before", "uninstall", "tugboot", release)
	if left := c.kubectl("get", "deployment,serviceaccount,role,rolebinding", release, "--selector=app.kubernetes.io/name=tugboot", "--output=name"); left != "" {
		t.Errorf("left after the uninstall: %s", left)
	}
	step("installed again", "Next-Server", append([]string{"install", "tugboot", folder}, values...)...)
}

// TestBesideTinkerbell: its CRD of Hardware stays what it was, and its own.
func TestBesideTinkerbell(t *testing.T) {
	c := start(t)
	c.kubectl("apply", "--server-side", "--filename="+filepath.Join(root, "config", "crd", "bases", "tinkerbell.org_hardware.yaml"))
	before := c.kubectl("get", "crd", "hardware.tinkerbell.org", "--output=jsonpath={.metadata.annotations}{.metadata.labels}{.spec}{.metadata.generation}")
	for _, verb := range []string{"install", "upgrade"} {
		c.helm(verb, "tugboot", folder, release, "--create-namespace", "--set=tinkerbellIP=192.168.2.50")
		after := c.kubectl("get", "crd", "hardware.tinkerbell.org", "--output=jsonpath={.metadata.annotations}{.metadata.labels}{.spec}{.metadata.generation}")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s changed the CRD:\n%s", verb, diff)
		}
	}
	// A second release leaves the first one's CRDs alone too.
	c.helm("install", "second", folder, "--namespace=other", "--create-namespace", "--set=bootstrapIP=192.168.2.112")
	if owner := c.crds()["takeovers.tugboot.dev"]; owner != "eksa-system/tugboot" {
		t.Errorf("the second release took the CRD: %s", owner)
	}
}

// installCRDs gives a cluster our kinds and those of Prometheus' operator.
func installCRDs(c *cluster) {
	c.t.Helper()
	tools := os.Getenv("TUGBOOT_CHART_TOOLS")
	if tools == "" {
		need.File(c.t, "TUGBOOT_CHART_TOOLS", "run `make chart`, which sets it, or set it to what hack/chart-tools.sh prints")
	}
	for _, crds := range []string{filepath.Join(root, "config", "crd", "bases"), filepath.Join(tools, "crds")} {
		c.kubectl("apply", "--server-side", "--recursive", "--filename="+crds)
	}
	for _, name := range []string{"takeovers.tugboot.dev", "servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"} {
		c.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/"+name)
	}
}

// TestAPITakesWhatIsRendered: every object of every golden file, strictly.
func TestAPITakesWhatIsRendered(t *testing.T) {
	c := start(t)
	installCRDs(c)
	c.kubectl("create", "namespace", "eksa-system")
	for _, file := range valueFiles(t) {
		out, err := template(t, "--values="+file)
		if out, err := c.apply(must(t, out, err), "--dry-run=server"); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
	out, err := run(t, "kubectl", nil, "kustomize", filepath.Join(root, "config", "default"))
	if _, err := c.apply(must(t, out, err)); err != nil {
		t.Errorf("config/default: %v", err)
	}
}

// TestPodSecurity: what the standard `restricted` finds in the pod is what a server of broadcast protocols cannot do without.
func TestPodSecurity(t *testing.T) {
	c := start(t)
	c.ensure(`{apiVersion: v1, kind: Namespace, metadata: {name: strict, labels: {pod-security.kubernetes.io/enforce: restricted}}}`)
	violations := func(values string) []string {
		out, err := template(t, "--set="+values, "--show-only=templates/workload.yaml")
		pod := find(t, objects(t, must(t, out, err)), "Deployment", "tugboot").Object["spec"].(map[string]any)["template"].(map[string]any)
		pod["apiVersion"], pod["kind"] = "v1", "Pod"
		metadata := pod["metadata"].(map[string]any)
		metadata["name"], metadata["namespace"] = "tugboot", "strict"
		delete(pod["spec"].(map[string]any), "serviceAccountName")
		text, err := yamlOf(pod)
		if err != nil {
			t.Fatal(err)
		}
		_, refused := c.apply(text, "--dry-run=server")
		if refused == nil {
			t.Fatal("it is taken, hostNetwork and all")
		}
		_, list, _ := strings.Cut(refused.Error(), "PodSecurity")
		var all []string
		for _, name := range regexp.MustCompile(`(host namespaces|hostPort|unrestricted capabilities|runAsNonRoot != true|runAsUser=0|seccompProfile|allowPrivilegeEscalation != false|restricted volume types|privileged)`).FindAllString(list, -1) {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
		if all = append(all, capability.FindAllString(list, -1)...); len(all) == 0 {
			t.Fatalf("refused otherwise: %v", refused)
		}
		return all
	}
	want := []string{"host namespaces", "hostPort", "unrestricted capabilities", `"NET_RAW"`}
	if diff := cmp.Diff(want, violations("bootstrapIP=10.0.0.1")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"host namespaces", "hostPort"}, violations("bootstrapIP=10.0.0.1,netRaw=false")); diff != "" {
		t.Errorf("without NET_RAW (-want +got):\n%s", diff)
	}
	if got := violations("bootstrapIP=10.0.0.1,netRaw=false,runAsUser=0"); !slices.Contains(got, "runAsNonRoot != true") {
		t.Errorf("as root: %q", got)
	}
}

// capability is one that the message of Pod Security names.
var capability = regexp.MustCompile(`"NET_[A-Z_]+"`)

// sortVerbs orders the verbs at the end of a line of `kubectl auth can-i --list`, which names them as it met them in the roles.
func sortVerbs(line string) string {
	start := strings.LastIndex(line, "[") + 1
	verbs := strings.Fields(strings.TrimSuffix(line[start:], "]"))
	slices.Sort(verbs)
	return line[:start] + strings.Join(verbs, " ") + "]"
}

// TestWhatTheAccountMay: exactly this, as the API itself tells.
func TestWhatTheAccountMay(t *testing.T) {
	c := start(t)
	c.helm("install", "tugboot", folder, release, "--create-namespace", "--set=tinkerbellIP=192.168.2.50,takeover.enabled=true,dhcpServices.namespace=eksa-system,dhcpServices.secretNames={tugboot-kea}")
	var got []string
	for line := range strings.Lines(c.kubectl("auth", "can-i", "--list", release, "--as=system:serviceaccount:eksa-system:tugboot")) {
		if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(fields[0], "selfsubject") && !strings.HasPrefix(line, " ") && fields[0] != "Resources" {
			got = append(got, sortVerbs(strings.Join(fields, " ")))
		}
	}
	slices.Sort(got)
	golden := filepath.Join("testdata", "can-i.golden")
	text := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("(-golden +account):\n%s", diff)
	}
}
