package doctor

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// The namespace that the roles of config/rbac are written for.
const ns = "eksa-system"

// granted returns what the roles of files grant, one line each: "NAMESPACE GROUP/RESOURCE[/SUB] NAME VERB".
func granted(t *testing.T, files ...string) []string {
	t.Helper()
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for doc := range bytes.SplitSeq(text, []byte("\n---\n")) {
			role := &rbacv1.Role{} // of a ClusterRole, all that counts here is the same
			if err := yaml.Unmarshal(doc, role); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if role.Kind == "RoleBinding" || role.Kind == "" {
				continue
			}
			if want := map[string]string{"Role": ns}[role.Kind]; role.Namespace != want {
				t.Fatalf("%s: %s %s is in namespace %q, want %q", file, role.Kind, role.Name, role.Namespace, want)
			}
			for _, rule := range role.Rules {
				all = append(all, lines(role.Namespace, rule)...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func lines(namespace string, rule rbacv1.PolicyRule) []string {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	var all []string
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, name := range names {
				for _, verb := range rule.Verbs {
					all = append(all, strings.Join([]string{namespace, group + "/" + resource, name, verb}, " "))
				}
			}
		}
	}
	return all
}

// TestRightsAreThoseOfTheRoles: what is asked about for each need is what its roles grant, nothing more and nothing less, in
// config/rbac and in the chart's copies, which it renders word by word.
func TestRightsAreThoseOfTheRoles(t *testing.T) {
	config := func(name string) string { return filepath.Join("..", "..", "config", "rbac", name, "role.yaml") }
	chart := func(name string) string {
		if name == "" {
			name = "role"
		}
		return filepath.Join("..", "..", "charts", "tugboot", "files", "rbac", name+".yaml")
	}
	for _, test := range []struct {
		need  Need
		roles []string
	}{
		{Need{}, []string{""}},
		{Need{Takeover: ns}, []string{"", "takeover"}},
		{Need{Services: ns, KeaSecrets: []string{"tugboot-kea"}}, []string{"", "dhcpservice"}},
		{Need{Takeover: ns, Services: ns, KeaSecrets: []string{"tugboot-kea"}}, []string{"", "takeover", "dhcpservice"}},
		{Need{Takeover: ns, RemoteCheck: true}, []string{"", "takeover", "remote-check"}},
	} {
		for where, path := range map[string]func(string) string{"config": config, "chart": chart} {
			var files, got []string
			for _, r := range test.roles {
				files = append(files, path(r))
			}
			for _, r := range Rights(test.need) {
				resource := r.Resource
				if r.Subresource != "" {
					resource += "/" + r.Subresource
				}
				got = append(got, strings.Join([]string{r.Namespace, r.Group + "/" + resource, r.Name, r.Verb}, " "))
				room := filepath.Join("..", "..", r.Room, "role.yaml")
				if _, err := os.Stat(room); err != nil {
					t.Errorf("%v: the remedy names what is not there: %v", r, err)
				}
			}
			slices.Sort(got)
			if n := len(slices.Compact(slices.Clone(got))); n != len(got) || n < 3 {
				t.Errorf("%+v: %d rights, %d different ones", test.need, len(got), n)
			}
			if diff := cmp.Diff(granted(t, files...), got); diff != "" {
				t.Errorf("%+v (-%s +asked about):\n%s", test.need, where, diff)
			}
		}
	}
}

// TestRightsInNamespaces: with --namespace nothing is asked about in all namespaces, and Events are written beside our objects.
func TestRightsInNamespaces(t *testing.T) {
	var got []string
	for _, r := range Rights(Need{Namespaces: []string{"a", "b"}, Services: "c"}) {
		got = append(got, r.String())
	}
	want := []string{
		"list hardware.tinkerbell.org in namespace a", "watch hardware.tinkerbell.org in namespace a",
		"list hardware.tinkerbell.org in namespace b", "watch hardware.tinkerbell.org in namespace b",
		"create events in namespace a", "create events in namespace b", "create events in namespace c",
		"list dhcpservices.tugboot.dev in namespace c", "watch dhcpservices.tugboot.dev in namespace c",
		"update dhcpservices.tugboot.dev/status in namespace c",
		"get configmaps in namespace c", "create configmaps in namespace c", "update configmaps in namespace c",
		"get leases.coordination.k8s.io in namespace c", "create leases.coordination.k8s.io in namespace c", "update leases.coordination.k8s.io in namespace c",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
