package takeover

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestTheManagementInstanceHasTheLastWord: a fence above its own is overtaken, by the instance whose cluster is at work.
func TestTheManagementInstanceHasTheLastWord(t *testing.T) {
	above := Mark{Cluster: "lab", Fence: Fence{Born: 1500, Epoch: 7}}
	for name, test := range map[string]struct {
		change func(*Observation)
		want   Fence // what the services end with
	}{
		"before the latch": {func(*Observation) {}, Fence{1500, 9}},
		"after the latch":  {latch, Fence{1500, 9}},
		"at a standstill":  {func(o *Observation) { latch(o); o.Evidence = Evidence{} }, above.Fence},
	} {
		o := ready(RoleManagement)
		test.change(&o)
		o.Services = []Service{{Name: "dnsmasq", Says: shapes()[1].at(addrB), Mark: above}, {Name: "kea"}}
		for range 5 {
			o = apply(o, Next(o, Gates(DefaultRule())...))
		}
		if got := o.Services[0].Mark.Fence; got != test.want {
			t.Errorf("%s: the service ends with %+v, want %+v", name, got, test.want)
		}
		if test.want != above.Fence && (o.Baton.Baton.Fence != test.want || !o.Baton.Baton.Latch.Set() || o.Services[0].Says.Addr != o.TinkerbellIP || o.Services[1].Says.Addr != o.TinkerbellIP) {
			t.Errorf("%s: ends with %+v and %+v", name, o.Baton.Baton, o.Services)
		}
	}
}

// TestFollowsTheManagementInstance: what it tells is told at once, whatever the gates say, and nothing is written for it.
func TestFollowsTheManagementInstance(t *testing.T) {
	there := ready(RoleManagement)
	latch(&there)
	o := ready(RoleBootstrap)
	o.Evidence, o.Workflows, o.AtTinkerbell = Evidence{Remote: &Remote{Identity: "management-1", Baton: there.Baton.Baton}}, []string{"w"}, Stack{}
	step := Next(o, Gates(DefaultRule())...)
	b := step.Baton
	if b == nil || len(step.Write) > 0 || b.Latch.Endpoint != there.Baton.Baton.Latch.Endpoint || b.Latch.Identity != "management-1" || b.Fence != (Fence{1000, 2}) || b.Handover != ReasonManagementLatched || !b.Latch.At.Equal(o.At) {
		t.Fatalf("%+v, stores %+v", step, b)
	}
	o = apply(o, step)
	there.Baton.Baton.Advertised = shapes()[1].at(addrB) // overridden over there
	o.Evidence.Remote.Baton = there.Baton.Baton
	if b = Next(o, Gates(DefaultRule())...).Baton; b == nil || b.Advertised.Addr != netip.MustParseAddr(addrB) || !b.Latch.Set() || b.Fence != (Fence{1000, 2}) {
		t.Errorf("the other one is overridden, and this one stores %+v", b)
	}
	for name, change := range map[string]func(*Remote){
		"for another cluster": func(r *Remote) { r.Baton.Cluster = "other" }, "of another cluster": func(r *Remote) { r.Baton.Latch.Identity = "x" },
		"of nobody": func(r *Remote) { r.Identity, r.Baton.Latch.Identity = "", "" }, "of this one": func(r *Remote) { r.Identity, r.Baton.Latch.Identity = "kind-1", "kind-1" },
		"nowhere": func(r *Remote) { r.Baton.Latch = Latch{Identity: "management-1"} },
	} {
		o := ready(RoleBootstrap)
		r := Remote{Identity: "management-1", Baton: there.Baton.Baton}
		change(&r)
		o.Evidence = Evidence{Remote: &r}
		if step := Next(o, Gates(DefaultRule())...); step.Baton != nil && step.Baton.Latch.Set() {
			t.Errorf("follows a latch %s: %+v", name, step.Baton)
		}
	}
}

func TestWithhold(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(*Observation)
		withheld bool
		want     bool
	}{
		"serves":                  {func(o *Observation) {}, false, false},
		"serves again":            {func(o *Observation) {}, true, false},
		"failed twice":            {func(o *Observation) { o.BootstrapFailures, o.AtBootstrap.Script = 2, "no answer" }, false, false},
		"failed three times":      {func(o *Observation) { o.BootstrapFailures, o.AtBootstrap.Script = 3, "no answer" }, false, true},
		"fails since":             {func(o *Observation) { o.BootstrapFailures, o.AtBootstrap.Script = 1, "no answer" }, true, true},
		"another is advertised":   {func(o *Observation) { o.BootstrapFailures = 3; o.BootstrapIP = netip.MustParseAddr("192.168.2.9") }, false, false},
		"machines boot otherwise": {func(o *Observation) { o.BootstrapFailures, o.AtBootstrap, o.ISOBoot = 3, Stack{}, true }, false, false},
	} {
		o := ready(RoleBootstrap)
		o.Evidence, o.Baton.Baton.Withheld = Evidence{}, test.withheld
		test.change(&o)
		b := apply(o, Next(o, Gates(DefaultRule())...)).Baton.Baton
		if b.Withheld != test.want || b.Latch.Set() {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func TestReservationsAreKeptUp(t *testing.T) {
	fresh := []Pair{machines[1], "52:54:00:00:00:03 192.168.2.12", "rubbish", machines[1]}
	want := []Pair{machines[1], "52:54:00:00:00:03 192.168.2.12"}
	for name, test := range map[string]struct {
		role   Role
		change func(*Observation)
		want   []Pair
	}{
		"holds the baton":         {RoleBootstrap, func(o *Observation) { o.Evidence = Evidence{} }, want},
		"not known":               {RoleBootstrap, func(o *Observation) { o.Evidence = Evidence{}; o.Reservations = nil }, machines},
		"after the handover":      {RoleBootstrap, func(o *Observation) { o.Parity.Missing = machines }, machines},
		"management, not latched": {RoleManagement, func(o *Observation) { o.Parity.Missing = machines }, machines},
		"management, latched":     {RoleManagement, latch, want},
		"frozen":                  {RoleBootstrap, func(o *Observation) { o.Evidence, o.Operator.Freeze = Evidence{}, true }, machines},
		"too many":                {RoleBootstrap, func(o *Observation) { o.Evidence = Evidence{}; o.Reservations, o.ReservationsOmitted = nil, true }, nil},
	} {
		o := ready(test.role)
		o.Reservations = fresh
		test.change(&o)
		b := apply(o, Next(o, Gates(DefaultRule())...)).Baton.Baton
		if !slices.Equal(b.Reservations, test.want) || b.ReservationsOmitted != (test.want == nil) {
			t.Errorf("%s: %v, omitted %t, want %v", name, b.Reservations, b.ReservationsOmitted, test.want)
		}
	}
}

// TestLostPackets: one boot file that did not answer in one round changes nothing that is told.
func TestLostPackets(t *testing.T) {
	o := ready(RoleManagement)
	latch(&o)
	o.AtTinkerbell.Endpoint.BootFiles = "bios=undionly.kpxe"
	if step := Next(o, Gates(DefaultRule())...); step.Baton != nil || len(step.Write) > 0 {
		t.Errorf("a file that was not seen is dropped: %+v", step)
	}
	o.AtTinkerbell.Endpoint.BootFiles = "bios=new.kpxe uefi-arm64=snp-arm64.efi"
	step := Next(o, Gates(DefaultRule())...)
	if step.Baton == nil || step.Baton.Advertised.BootFiles != "bios=new.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi" || step.Baton.Latch.Endpoint != step.Baton.Advertised || step.Baton.Fence != o.Baton.Baton.Fence || len(step.Write) != 1 {
		t.Errorf("files that were seen are not told: %+v", step)
	}
}

// TestFilesOfAnotherStack: at another address only what was seen there is told.
func TestFilesOfAnotherStack(t *testing.T) {
	o := ready(RoleBootstrap)
	o.Operator.Override.Addr = netip.MustParseAddr("192.168.2.60")
	seen := Endpoint{Addr: o.Operator.Override.Addr, TFTPPort: 69, HTTPPort: 80, ScriptPath: "/auto.ipxe", BootFiles: "uefi-x86-64=ipxe.efi"}
	o.Operator.OverrideSeen = Stack{At: o.At, Addr: seen.Addr, Endpoint: seen}
	if step := Next(o, Gates(DefaultRule())...); step.Baton == nil || step.Baton.Advertised != seen {
		t.Errorf("%+v, stores %+v", step, step.Baton)
	}
}

func TestISOBoot(t *testing.T) {
	o := ready(RoleManagement)
	o.ISOBoot, o.AtTinkerbell = true, Stack{At: o.At, Addr: o.TinkerbellIP, BootFile: "no answer", Healthcheck: "no answer", Script: "no answer"}
	o.Streak.Endpoint = Endpoint{Addr: o.TinkerbellIP}
	for range 3 {
		o = apply(o, Next(o, Gates(DefaultRule())...))
	}
	if b := o.Baton.Baton; b.Advertised != (Endpoint{Addr: o.TinkerbellIP}) || !b.Latch.Set() {
		t.Errorf("ends with %+v", b)
	}
}

func TestNames(t *testing.T) {
	var got []string
	for _, p := range append(Phases(), 9) {
		got = append(got, p.String())
	}
	for r := range Role(4) {
		got = append(got, r.String())
	}
	for s := range State(5) {
		got = append(got, s.String())
	}
	const want = "Idle Bootstrap HandoverSeen Verifying Managed Degraded Override Conflict Phase(9) Unknown Bootstrap Management Role(3) Shut Open Unknown Skipped State(4)"
	if text := strings.Join(got, " "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for e, want := range map[Endpoint]string{
		{}: "", shapes()[0].at(addrM): "http://192.168.2.50/auto.ipxe", shapes()[3].at(addrM): "http://192.168.2.50:7171/ipxe/script/auto.ipxe",
		{Addr: netip.MustParseAddr(addrM), TFTPPort: 69}: "",
	} {
		if got := e.ScriptURL(); got != want {
			t.Errorf("ScriptURL %q, want %q", got, want)
		}
	}
	p := Problem{Object: "Cluster default/lab", Field: "spec.x", Value: "a\n" + strings.Repeat("b", 200), Remedy: "set it right"}
	if got, want := p.String(), `Cluster default/lab: spec.x "a\n`+strings.Repeat("b", 78)+`"...: set it right`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
