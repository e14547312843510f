package capi

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/takeover"
)

var (
	addrB = netip.MustParseAddr("192.168.2.112")
	addrM = netip.MustParseAddr("192.168.2.50")
)

func TestFillManaged(t *testing.T) {
	want := takeover.Observation{
		Role: takeover.RoleManagement, Identity: "11111111-2222-3333-4444-555555555555", Born: 1767323045,
		Cluster: "lab", TinkerbellIP: addrM,
		Evidence:       takeover.Evidence{Local: takeover.ClusterView{Found: true, Provisioned: true, Nodes: 1, NodesHere: 1}},
		WorkflowsKnown: true,
		LoadBalancer:   takeover.LoadBalancer{Known: true, Service: "eksa-system/tinkerbell", ReadyEndpoints: 1},
	}
	got := fill(t, managed, Ask{})
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !got.Evidence.Local.SelfManaged() {
		t.Error("it does not count as self-managed")
	}
}

// TestFillAppends: what others found wrong stays, and a view is not changed by being used.
func TestFillAppends(t *testing.T) {
	o := takeover.Observation{Problems: []takeover.Problem{{Reason: "Other"}}, Workflows: []string{"old"}, Cluster: "old"}
	v := listed(t, "").view()
	v.Fill(&o, Ask{})
	v.Fill(&o, Ask{})
	if got := reasons(o.Problems); got != "Other NoRole NoCluster NoRole NoCluster" || o.Workflows != nil || o.Cluster != "" {
		t.Errorf("%s, %+v", got, o)
	}
}

func TestRole(t *testing.T) {
	other := strings.ReplaceAll(swap(t, nodeYAML, "cp-1", "other"), "tinkerbell://eksa-system/cp-1", "aws:///x/i-1")
	fresh := "apiVersion: v1\nkind: Node\nmetadata: {name: fresh}\nspec: {}"
	for _, test := range []struct {
		name, objects string
		ask, want     takeover.Role
		object        string // of the problem
	}{
		{"kind", kindNodeYAML, takeover.RoleUnknown, takeover.RoleBootstrap, ""},
		{"tinkerbell", nodeYAML, takeover.RoleUnknown, takeover.RoleManagement, ""},
		{"one has no providerID yet", docs(nodeYAML, fresh), takeover.RoleUnknown, takeover.RoleManagement, ""},
		{"a third kind beside it", docs(nodeYAML, other), takeover.RoleUnknown, takeover.RoleManagement, ""},
		{"mixed", docs(nodeYAML, kindNodeYAML), takeover.RoleUnknown, takeover.RoleUnknown, "Nodes lab-eks-a-cluster-control-plane and cp-1"},
		{"a third kind", other, takeover.RoleUnknown, takeover.RoleUnknown, "Node other"},
		{"none", fresh, takeover.RoleUnknown, takeover.RoleUnknown, "Node fresh"},
		{"no Node", "", takeover.RoleUnknown, takeover.RoleUnknown, "resource nodes"},
		{"mixed, asked", docs(nodeYAML, kindNodeYAML), takeover.RoleBootstrap, takeover.RoleBootstrap, ""},
		{"asked against the Nodes", kindNodeYAML, takeover.RoleManagement, takeover.RoleManagement, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := fill(t, docs(test.objects, eksaYAML, datacenterYAML), Ask{Role: test.ask})
			if o.Role != test.want {
				t.Errorf("role %v", o.Role)
			}
			checkOne(t, o.Problems, ReasonNoRole, test.object)
		})
	}
}

// checkOne wants one problem, with an object, a field and a remedy, or none when object is empty.
func checkOne(t *testing.T, problems []takeover.Problem, reason, object string) {
	t.Helper()
	if object == "" {
		if len(problems) > 0 {
			t.Errorf("problems %+v", problems)
		}
		return
	}
	if len(problems) != 1 || problems[0].Reason != reason || problems[0].Object != object || problems[0].Field == "" || problems[0].Remedy == "" {
		t.Errorf("problems %+v, want one %s of %s", problems, reason, object)
	}
}

func TestCluster(t *testing.T) {
	second := strings.ReplaceAll(strings.ReplaceAll(eksaYAML, "lab", "lab2"), "192.168.2.112", "192.168.2.113")
	workload := swap(t, second, "managementCluster: {name: lab2}", "managementCluster: {name: lab}")
	implied := swap(t, eksaYAML, "  managementCluster: {name: lab}\n", "")
	elsewhere := swap(t, eksaYAML, "namespace: default", "namespace: other")
	unreadable := swap(t, second, "managementCluster: {name: lab2}", "managementCluster: [lab2]")
	vsphere := strings.Replace(eksaYAML, "kind: TinkerbellDatacenterConfig", "kind: VSphereDatacenterConfig", 1)
	for _, test := range []struct {
		name, objects string
		ask           Ask
		cluster       string
		m             netip.Addr
		problems      string
	}{
		{"its own name", docs(eksaYAML, datacenterYAML), Ask{}, "lab", addrM, ""},
		{"in another namespace", docs(elsewhere, datacenterYAML, swap(t, swap(t, datacenterYAML, "namespace: default", "namespace: other"), "192.168.2.50", "192.168.2.112")),
			Ask{}, "lab", addrB, ""},
		{"no name", docs(implied, datacenterYAML), Ask{}, "lab", addrM, ""},
		{"beside a workload cluster", docs(eksaYAML, datacenterYAML, workload), Ask{}, "lab", addrM, ""},
		{"only a workload cluster", docs(workload, datacenterYAML), Ask{}, "", netip.Addr{}, "NoCluster"},
		{"none", datacenterYAML, Ask{}, "", netip.Addr{}, "NoCluster"},
		{"none, moved away", datacenterYAML, Ask{Moved: true}, "", netip.Addr{}, ""},
		{"none of the name", docs(eksaYAML, datacenterYAML), Ask{ClusterName: "x"}, "x", netip.Addr{}, "NoCluster"},
		{"none of the name, and nothing to find out", docs(eksaYAML, datacenterYAML), Ask{ClusterName: "x", TinkerbellIP: addrB}, "x", addrB, ""},
		{"several", docs(eksaYAML, datacenterYAML, second), Ask{}, "", netip.Addr{}, "SeveralClusters!"},
		{"several, asked", docs(eksaYAML, datacenterYAML, second), Ask{ClusterName: "lab"}, "lab", addrM, ""},
		{"several of one name", docs(eksaYAML, datacenterYAML, elsewhere), Ask{}, "", netip.Addr{}, "SeveralClusters!"},
		{"several of one name, asked", docs(eksaYAML, datacenterYAML, elsewhere), Ask{ClusterName: "lab"}, "lab", netip.Addr{}, "SeveralClusters"},
		{"asked for a workload cluster", docs(eksaYAML, datacenterYAML, workload), Ask{ClusterName: "lab2"}, "lab2", netip.Addr{}, "NotSelfManaged"},
		{"one cannot be read", docs(eksaYAML, datacenterYAML, unreadable), Ask{}, "lab", addrM, "Undecodable"},
		{"the one asked for cannot be read", docs(eksaYAML, datacenterYAML, unreadable), Ask{ClusterName: "lab2"}, "lab2", netip.Addr{}, "Undecodable"},
		{"conflicts come first", docs(unreadable, eksaYAML, elsewhere), Ask{}, "", netip.Addr{}, "SeveralClusters! Undecodable"},
		{"another provider", docs(vsphere, datacenterYAML), Ask{}, "lab", netip.Addr{}, "WrongDatacenter"},
		{"another provider, asked", docs(vsphere, datacenterYAML), Ask{TinkerbellIP: addrM}, "lab", addrM, ""},
		{"a Cluster of the other group", docs(capiYAML, datacenterYAML), Ask{}, "", netip.Addr{}, "NoCluster"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.ask.Role = takeover.RoleManagement
			o := fill(t, test.objects, test.ask)
			if o.Cluster != test.cluster || o.TinkerbellIP != test.m || reasons(o.Problems) != test.problems {
				t.Errorf("cluster %q at %v, problems %s\n%+v", o.Cluster, o.TinkerbellIP, reasons(o.Problems), o.Problems)
			}
			for _, p := range o.Problems {
				if p.Object == "" || p.Field == "" || p.Remedy == "" {
					t.Errorf("problem %+v", p)
				}
			}
		})
	}
}

func TestTinkerbellIP(t *testing.T) {
	for value, problem := range map[string]string{
		"192.168.2.50": "", "127.0.0.1": "", // what an address may be used for is not judged here
		`""`: ReasonInvalidTinkerbellIP, `" 192.168.2.50"`: ReasonInvalidTinkerbellIP, "192.168.2.50/24": ReasonInvalidTinkerbellIP, "192.168.2.050": ReasonInvalidTinkerbellIP,
		"tink.example.org": ReasonInvalidTinkerbellIP, "192.168.2.50:80": ReasonInvalidTinkerbellIP, "'2001:db8::1'": ReasonInvalidTinkerbellIP, "'::ffff:192.168.2.50'": ReasonInvalidTinkerbellIP,
		"0.0.0.0": ReasonInvalidTinkerbellIP, "224.0.0.1": ReasonInvalidTinkerbellIP, "255.255.255.255": ReasonInvalidTinkerbellIP,
		`"192.168.2.50\nimgfetch http://x"`: ReasonInvalidTinkerbellIP, "5": ReasonUndecodable, "null": ReasonInvalidTinkerbellIP,
	} {
		text := docs(eksaYAML, swap(t, datacenterYAML, "192.168.2.50", value))
		o := fill(t, text, Ask{Role: takeover.RoleManagement})
		if problem == "" {
			if o.TinkerbellIP.String() != value || len(o.Problems) > 0 {
				t.Errorf("%s: %v, %+v", value, o.TinkerbellIP, o.Problems)
			}
			continue
		}
		if o.TinkerbellIP.IsValid() {
			t.Errorf("%s is taken for %v", value, o.TinkerbellIP)
		}
		checkOne(t, o.Problems, problem, "TinkerbellDatacenterConfig default/lab-dc")
		if o := fill(t, text, Ask{Role: takeover.RoleManagement, TinkerbellIP: addrM}); o.TinkerbellIP != addrM || reasons(o.Problems) != strings.TrimPrefix(problem, ReasonInvalidTinkerbellIP) {
			t.Errorf("%s, asked: %v, %+v", value, o.TinkerbellIP, o.Problems)
		}
	}
}

func TestBootstrapIP(t *testing.T) {
	at := func(value string, ask Ask) takeover.Observation {
		return fill(t, docs(swap(t, eksaYAML, "192.168.2.112", value), datacenterYAML), ask)
	}
	if o := at("192.168.2.112", Ask{Role: takeover.RoleBootstrap}); o.BootstrapIP != addrB || len(o.Problems) > 0 {
		t.Errorf("the annotation: %+v", o)
	}
	if o := at("192.168.2.112", Ask{Role: takeover.RoleManagement}); o.BootstrapIP.IsValid() || len(o.Problems) > 0 {
		t.Errorf("the annotation counts in the management role: %+v", o)
	}
	if o := at("192.168.2.112", Ask{Role: takeover.RoleUnknown}); o.BootstrapIP.IsValid() {
		t.Errorf("the annotation counts in no role: %+v", o)
	}
	if o := at("192.168.2.112", Ask{Role: takeover.RoleManagement, BootstrapIP: addrM}); o.BootstrapIP != addrM {
		t.Errorf("what is asked does not count: %+v", o)
	}
	o := at("'http://192.168.2.112'", Ask{Role: takeover.RoleBootstrap})
	checkOne(t, o.Problems, ReasonInvalidBootstrapIP, "Cluster.anywhere.eks.amazonaws.com default/lab")
	if o.BootstrapIP.IsValid() {
		t.Errorf("garbage is taken for %v", o.BootstrapIP)
	}
	if o := at("garbage", Ask{Role: takeover.RoleBootstrap, BootstrapIP: addrB}); o.BootstrapIP != addrB || len(o.Problems) > 0 {
		t.Errorf("garbage that does not count: %+v", o)
	}
}

func TestDatacenter(t *testing.T) {
	o := fill(t, docs(eksaYAML, swap(t, datacenterYAML, "{tinkerbellIP", "{isoBoot: true, skipLoadBalancerDeployment: true, tinkerbellIP")), Ask{Role: takeover.RoleManagement})
	if !o.ISOBoot || !o.SkipLoadBalancer {
		t.Errorf("%+v", o)
	}
	elsewhere := docs(eksaYAML, swap(t, datacenterYAML, "namespace: default", "namespace: eksa-system"))
	o = fill(t, elsewhere, Ask{Role: takeover.RoleManagement})
	checkOne(t, o.Problems, ReasonNoDatacenter, "Cluster.anywhere.eks.amazonaws.com default/lab")
	o = fill(t, elsewhere, Ask{Role: takeover.RoleManagement, Moved: true})
	checkOne(t, o.Problems, "", "")
	o = fill(t, elsewhere, Ask{Role: takeover.RoleManagement, TinkerbellIP: addrM})
	checkOne(t, o.Problems, "", "")
}

func TestIgnored(t *testing.T) {
	workload := strings.ReplaceAll(swap(t, eksaYAML, "managementCluster: {name: lab}", "managementCluster: {name: mgmt}"), "lab", "work")
	workload = strings.ReplaceAll(workload, "mgmt", "lab")
	config := func(ip string) string {
		return strings.ReplaceAll(strings.ReplaceAll(datacenterYAML, "lab", "work"), "192.168.2.50", ip)
	}
	ignored := func(ip string) []takeover.Problem {
		return listed(t, docs(managed, workload, config(ip))).view().Ignored("lab", addrM)
	}
	checkOne(t, ignored("192.168.2.60"), ReasonTinkerbellIPIgnored, "TinkerbellDatacenterConfig default/work-dc")
	checkOne(t, ignored("garbage"), ReasonTinkerbellIPIgnored, "TinkerbellDatacenterConfig default/work-dc")
	checkOne(t, ignored("192.168.2.50"), "", "")
	v := listed(t, docs(managed, workload, config("192.168.2.60"))).view()
	for _, none := range [][]takeover.Problem{v.Ignored("", addrM), v.Ignored("lab", netip.Addr{}), v.Ignored("another", addrM), (View{}).Ignored("lab", addrM)} {
		if none != nil {
			t.Errorf("%+v", none)
		}
	}
	o := takeover.Observation{}
	if v.Fill(&o, Ask{}); o.TinkerbellIP != addrM || len(o.Problems) > 0 {
		t.Errorf("a workload cluster has an effect: %+v", o)
	}
}

// TestManyProblems: objects that cannot be read, however many, leave room for what matters more.
func TestManyProblems(t *testing.T) {
	all := []string{eksaYAML}
	for i := range 100 {
		all = append(all, strings.ReplaceAll(swap(t, eksaYAML, "managementCluster: {name: lab}", "managementCluster: 1"), "lab", fmt.Sprintf("bad-%d", i)))
	}
	o := fill(t, docs(all...), Ask{Role: takeover.RoleManagement})
	if len(o.Problems) != maxProblems || o.Problems[0].Reason != ReasonNoDatacenter || o.Cluster != "lab" {
		t.Errorf("%d problems, the first %+v", len(o.Problems), o.Problems[0])
	}
}
