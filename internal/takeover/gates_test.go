package takeover

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ready is the observation of an instance for which all gates are open, with one existing DHCP service to be written.
func ready(role Role) Observation {
	b, m, at := netip.MustParseAddr(addrB), netip.MustParseAddr(addrM), time.Date(2026, 11, 23, 20, 15, 0, 0, time.UTC)
	stored := Baton{Mark: Mark{Cluster: "lab", Fence: Fence{Born: 1000, Epoch: 1}}, Advertised: shapes()[1].at(addrB), Since: at, Reservations: machines}
	seen := Stack{At: at, Addr: m, Proof: m, ProofMAC: "52:54:00:00:00:01", Endpoint: shapes()[1].at(addrM)}
	o := Observation{
		At: at, Role: role, Identity: "management-1", Born: 2000, Cluster: "lab", BootstrapIP: b, TinkerbellIP: m,
		Baton:       BatonSeen{Known: true, Present: true, Baton: stored},
		Services:    []Service{{Name: "kea", Says: stored.Advertised, Mark: stored.Mark}},
		Evidence:    Evidence{Local: ClusterView{Found: true, Provisioned: true, Nodes: 2, NodesHere: 2}},
		AtBootstrap: Stack{At: at, Addr: b, Endpoint: stored.Advertised}, AtTinkerbell: seen, Parity: Parity{Known: true, Of: 2}, AllowPXE: 1, WorkflowsKnown: true,
		LoadBalancer: LoadBalancer{Known: true, Service: "tinkerbell/stack", ReadyEndpoints: 1},
		Streak:       Streak{Endpoint: seen.Endpoint, First: at.Add(-30 * time.Second), Last: at.Add(-10 * time.Second), Rounds: 2},
	}
	if role == RoleBootstrap {
		o.Identity, o.Evidence = "kind-1", Evidence{HardwareMoved: true}
	}
	o.Streak.Identity = o.ForceIdentity()
	return o
}

// latch makes o one in which this instance has latched.
func latch(o *Observation) {
	m := shapes()[1].at(addrM)
	o.Baton.Baton.Advertised, o.Baton.Baton.Previous, o.Baton.Baton.Fence.Epoch = m, o.Baton.Baton.Advertised, 3
	o.Baton.Baton.Latch = Latch{Identity: o.Identity, Endpoint: m, At: o.At}
	o.Baton.Baton.Identity = o.Identity
	o.Services = []Service{{Name: "kea", Says: m, Mark: o.Baton.Baton.Mark}}
}

func TestAllGatesOpen(t *testing.T) {
	for _, role := range []Role{RoleBootstrap, RoleManagement} {
		o := ready(role)
		step := Next(o, Gates(DefaultRule())...)
		for _, f := range step.Findings {
			if want := f.Gate != GateServicesWritten; f.State.Passes() != want {
				t.Errorf("%s: %s is %s: %s", role, f.Gate, f.State, f.Message)
			}
		}
		if len(step.Write) != 1 || step.Baton != nil && step.Baton.Latch.Set() || step.Phase != Verifying {
			t.Errorf("%s: %+v, want the service to be written and nothing else", role, step)
		}
		step = Next(apply(o, step), Gates(DefaultRule())...)
		if step.Baton == nil || !step.Baton.Latch.Set() || len(step.Write) != 0 {
			t.Errorf("%s: %+v, want the latch", role, step)
		}
	}
}

// remedy is how a sentence on something in the way ends: after a colon, with what to do.
var remedy = regexp.MustCompile(`: .*\b(wait|start|set|apply|give|let|lets|look|see|make|remove|nothing is to be done|nothing is changed|compare|answers nobody|gives the (right )?word)\b`)

// TestEveryReason has each gate and each step give each of its reasons.
func TestEveryReason(t *testing.T) {
	given := map[string]bool{}
	for _, test := range append(gateCases(), stepCases()...) {
		o := ready(test.role)
		test.change(&o)
		step := Next(o, Gates(DefaultRule())...)
		got := Finding{Reason: step.Reason, Message: step.Message}
		for _, f := range step.Findings {
			given[f.Reason] = true
			if !f.State.Passes() && !remedy.MatchString(f.Message) {
				t.Errorf("%s: %s names no remedy: %s", test.reason, f.Gate, f.Message)
			}
			if f.Gate == test.gate {
				got = f
			}
		}
		if got.Reason != test.reason || test.gate != "" && got.State != test.state || test.gate == "" && step.Phase != test.phase {
			t.Errorf("%s of %q (%s): %s %s in phase %s: %s", test.reason, test.gate, test.role, got.State, got.Reason, step.Phase, got.Message)
		}
		if given[step.Reason] = true; !step.Ready && !remedy.MatchString(step.Message) {
			t.Errorf("%s: the step names no remedy: %s", test.reason, step.Message)
		}
		if step.Baton != nil {
			given[step.Baton.Handover] = true
		}
		if stance := Serve(o.Role, o.Identity, o.Baton, Endpoint{}, netip.Addr{}, o.At); stance.Silent {
			given[stance.Reason] = true
		}
		if test.state == Shut && test.gate != "" && test.gate != GateServicesWritten && !o.Baton.Baton.Latch.Set() && len(step.Write) > 0 && step.Advertise.Addr == o.TinkerbellIP {
			t.Errorf("%s: shut, and M is written all the same", test.reason)
		}
	}
	for _, reason := range reasonsInSource(t) {
		if !given[reason] {
			t.Errorf("no case gives the reason %s", reason)
		}
	}
}

// reasonsInSource returns the values of all constants in reason.go but those of problems that others find.
func reasonsInSource(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || strings.Contains(group.Doc.Text(), "problems") {
			continue
		}
		for _, spec := range group.Specs {
			constant, ok := spec.(*ast.ValueSpec)
			if !ok {
				t.Fatalf("reason.go holds a %T", spec)
			}
			literal, ok := constant.Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s is not a literal", constant.Names[0])
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil || "Reason"+value != constant.Names[0].Name {
				t.Errorf("%s has the value %s, %v", constant.Names[0], literal.Value, err)
			}
			reasons = append(reasons, value)
		}
	}
	return reasons
}
