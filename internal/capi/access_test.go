package capi

import (
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/tugboot/tugboot/internal/takeover"
)

// The rights that a Watcher needs, in two parts.
const (
	roleYAML = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: watcher}
rules:
- {apiGroups: [anywhere.eks.amazonaws.com], resources: [clusters, tinkerbelldatacenterconfigs], verbs: [list, watch]}
- {apiGroups: [cluster.x-k8s.io], resources: [clusters, machines], verbs: [list, watch]}
- {apiGroups: [""], resources: [nodes, services], verbs: [list, watch]}
- {apiGroups: [""], resources: [namespaces], resourceNames: [kube-system], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}`

	roleWorkflowsYAML = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: watcher-workflows}
rules:
- {apiGroups: [tinkerbell.org], resources: [workflows], verbs: [list, watch]}`

	bindingYAML = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: watcher}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: watcher}
subjects: [{kind: ServiceAccount, namespace: eksa-system, name: tugboot}]`
)

// TestForbidden: an account without rights is told which it lacks, resource by resource, and what it may see goes on.
func TestForbidden(t *testing.T) {
	t.Parallel()
	_, config := ownPlane(t)
	c := newCluster(t, config)
	install(t, config, crds(t, false, append([]string{nameWorkflows}, append(namesCAPI, namesEKSA...)...)...))
	c.inNamespaces("eksa-system")
	c.create(docs(nodeYAML, eksaYAML, datacenterYAML, capiNewYAML, machineNewYAML, serviceLiveYAML, sliceLiveYAML))

	account := rest.CopyConfig(config)
	account.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:eksa-system:tugboot",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:eksa-system", "system:authenticated"},
	}
	w := watchAs(t, account, Ask{})
	w.until(t, "nothing is allowed, and that is an answer", func(o takeover.Observation) bool {
		return w.View().Ready() && len(o.Problems) == int(kinds)
	})
	o := w.seen()
	for _, p := range o.Problems {
		if p.Reason != ReasonForbidden || p.Conflict {
			t.Errorf("%+v", p)
		}
	}
	if o.WorkflowsKnown || o.LoadBalancer.Known || o.Identity != "" || o.Role != takeover.RoleUnknown {
		t.Errorf("%+v", o)
	}
	w.says(t, "apply config/rbac and bind the role to it")

	c.create(docs(roleYAML, bindingYAML))
	w.until(t, "all but Workflows are allowed", func(o takeover.Observation) bool {
		return reasons(o.Problems) == ReasonForbidden && o.Evidence.Local.SelfManaged() && o.TinkerbellIP == addrM && o.Identity != "" && o.LoadBalancer.Known
	})
	if o := w.seen(); o.WorkflowsKnown || o.Problems[0].Object != "resource "+nameWorkflows {
		t.Errorf("%+v", o)
	}
	c.create(docs(roleWorkflowsYAML, strings.ReplaceAll(bindingYAML, "name: watcher", "name: watcher-workflows")))
	w.until(t, "all are allowed", func(o takeover.Observation) bool { return len(o.Problems) == 0 && o.WorkflowsKnown })
	w.says(t, nameWorkflows+" be watched again")
}
