package e2e

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/tugboot/tugboot/test/lab"
)

// account is Tugboot's, as the chart makes it.
const account = "system:serviceaccount:" + lab.KubernetesNamespace + ":" + lab.Release

// useServices gives the management cluster existing DHCP services, so that the rights for them are used, and waits until Tugboot has
// done with each what can be done.
func useServices(ctx context.Context, t *testing.T, c *lab.Creation) {
	t.Helper()
	apply(ctx, t, c.Management, filepath.Join("testdata", "dhcpservices.yaml"))
	for service, condition := range map[string]string{"windows": "Rendered=True", "kea": "Ready=False"} {
		if _, err := c.Management.API.Kubectl(ctx, nil, "wait", "--namespace="+lab.KubernetesNamespace, "--timeout=60s",
			"--for=condition="+condition, "dhcpservice/"+service); err != nil {
			t.Error(err)
		}
	}
}

// rightsAreUsed asserts that Tugboot asked neither API for anything that its account may not do, and that it needed every right that the
// chart gives it, in one cluster or the other.
func rightsAreUsed(ctx context.Context, t *testing.T, c *lab.Creation) {
	t.Helper()
	used := map[string]bool{}
	for _, side := range c.Sides() {
		requests, err := side.Cluster.AccountRequests()
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		for _, r := range requests {
			if r.Account != account {
				continue
			}
			asked++
			used[r.Verb+" "+r.Resource] = true
			if r.Lists {
				used["list "+r.Resource] = true
			}
			if r.Code == 401 || r.Code == 403 {
				t.Errorf("%s cluster: refused with %d: %s %s %s/%s", side.Role, r.Code, r.Verb, r.Resource, r.Namespace, r.Name)
			}
		}
		if asked == 0 {
			t.Errorf("%s cluster: its audit log has no request of %s", side.Role, account)
		}
	}
	granted := grants(ctx, t, c.Management)
	for _, right := range granted {
		if !used[right] {
			t.Errorf("granted, and never used: %s", right)
		}
	}
	t.Logf("%d rights are granted", len(granted))
}

// grants are the rights of the chart's roles, as VERB RESOURCE.GROUP.
func grants(ctx context.Context, t *testing.T, s *lab.Side) (all []string) {
	t.Helper()
	out, err := s.API.Kubectl(ctx, nil, "get", "clusterroles,roles", "--all-namespaces", "--selector=app.kubernetes.io/name=tugboot", "--output=json")
	if err != nil {
		t.Fatal(err)
	}
	var roles struct {
		Items []struct{ Rules []rbacv1.PolicyRule }
	}
	if err := json.Unmarshal(out, &roles); err != nil || len(roles.Items) == 0 {
		t.Fatalf("%d roles, %v", len(roles.Items), err)
	}
	for _, role := range roles.Items {
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				name, sub, _ := strings.Cut(resource, "/")
				if group := rule.APIGroups[0]; group != "" {
					name += "." + group
				}
				if sub != "" {
					name += "/" + sub
				}
				for _, verb := range rule.Verbs {
					all = append(all, verb+" "+name)
				}
			}
		}
	}
	return all
}

// logOf is all that a side's pods have written.
func logOf(ctx context.Context, t *testing.T, s *lab.Side) string {
	t.Helper()
	out, err := s.API.Kubectl(ctx, nil, "logs", "--namespace="+lab.KubernetesNamespace, "--selector=app.kubernetes.io/name=tugboot", "--tail=-1")
	if err != nil || len(out) == 0 {
		t.Errorf("%s cluster: %d bytes of log, %v", s.Role, len(out), err)
	}
	return string(out)
}

// nothingForbidden asserts that no pod's log speaks of something that is forbidden. It is to be called before the pods go.
func nothingForbidden(ctx context.Context, t *testing.T, s *lab.Side) {
	t.Helper()
	for line := range strings.Lines(logOf(ctx, t, s)) {
		if strings.Contains(strings.ToLower(line), "forbidden") {
			t.Errorf("%s cluster: %s", s.Role, line)
		}
	}
}

// saysBroadcast asserts that the instance at a side says what it cannot do without NET_RAW.
func saysBroadcast(ctx context.Context, t *testing.T, s *lab.Side) {
	t.Helper()
	if !strings.Contains(logOf(ctx, t, s), "grant the capability NET_RAW") {
		t.Errorf("%s cluster: the log does not say what is to be granted", s.Role)
	}
}

// doctorInThePod runs `tugboot doctor` in a side's pod, with the pod's own arguments, as docs/doctor.md says, and asserts that nothing is
// in the way but the Tugboot that runs there.
func doctorInThePod(ctx context.Context, t *testing.T, s *lab.Side) {
	t.Helper()
	out, err := s.API.Kubectl(ctx, nil, "get", "deployment", lab.Release, "--namespace="+lab.KubernetesNamespace,
		`--output=jsonpath={range .spec.template.spec.containers[0].args[*]}{@}{"\n"}{end}`)
	args := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || args[0] != "serve" {
		t.Fatalf("%q, %v", args, err)
	}
	said, err := s.Cluster.Exec(ctx, lab.KubernetesNamespace, "deployment/"+lab.Release, append([]string{"/tugboot", "doctor"}, args[1:]...)...)
	if err != nil {
		t.Errorf("doctor in the pod: %v\n%s", err, said)
	}
	for _, want := range []string{"a Tugboot runs here already", "ok    rights", "ok    crd         hardware.tinkerbell.org is served", "ok    ipxe"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("doctor in the pod does not say %q:\n%s", want, said)
		}
	}
}
