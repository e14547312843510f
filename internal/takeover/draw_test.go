package takeover

import (
	"net/netip"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// What the properties draw. A few values of each kind are enough to meet each other; wild ones are among them.

var (
	drawAddr = rapid.SampledFrom([]netip.Addr{
		{}, netip.MustParseAddr(addrB), netip.MustParseAddr(addrM), netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("172.17.0.2"),
		netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("224.0.0.1"), netip.MustParseAddr("fe80::1"), netip.MustParseAddr("::ffff:192.168.2.50"),
	})
	drawIdentity = rapid.SampledFrom([]string{"", "kind-1", "management-1", "management-2", "not a word\n"})
	drawCluster  = rapid.SampledFrom([]string{"", "lab", "other"})
	drawWrong    = rapid.SampledFrom([]string{"", "", "", "no answer\n\x1b[2J"})
	drawTime     = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 9).Draw(t, "zero") == 0 {
			return time.Time{}
		}
		return time.Unix(1795000000+rapid.Int64Range(0, 900).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds"))
	})
	drawHandover = rapid.SampledFrom([]string{"", "", ReasonBatonMoved, ReasonHardwareMoved, ReasonRemoteSelfManaged, ReasonLatchMoved, ReasonManagementLatched})
)

func drawEndpoint(t *rapid.T, name string) Endpoint {
	e := Endpoint{Addr: drawAddr.Draw(t, name)}
	if !e.Addr.IsValid() || rapid.IntRange(0, 4).Draw(t, name+" bare") == 0 {
		return e
	}
	return Endpoint{
		Addr: e.Addr, TFTPPort: rapid.SampledFrom([]uint16{0, 69}).Draw(t, name+" tftp"), HTTPPort: rapid.SampledFrom([]uint16{0, 80, 7171}).Draw(t, name+" http"),
		ScriptPath: rapid.SampledFrom([]string{"", "/auto.ipxe", "/ipxe/script/auto.ipxe", "/${net0/ip}", "no path"}).Draw(t, name+" path"),
		BootFiles:  rapid.SampledFrom([]string{"", "bios=undionly.kpxe", "bios=undionly.kpxe uefi-x86-64=ipxe.efi", "bad", "b=1 a=2"}).Draw(t, name+" files"),
	}
}

// drawGood draws an endpoint that can be stored, or none.
func drawGood(t *rapid.T, name string) Endpoint {
	if rapid.IntRange(0, 3).Draw(t, name+" none") == 0 {
		return Endpoint{}
	}
	return shapes()[rapid.IntRange(0, 3).Draw(t, name+" shape")].at(rapid.SampledFrom([]string{addrB, addrM}).Draw(t, name+" address"))
}

func drawFence(t *rapid.T) Fence {
	return Fence{Born: rapid.SampledFrom([]int64{0, 1000, 2000}).Draw(t, "born"), Epoch: rapid.Int64Range(0, 5).Draw(t, "epoch")}
}

// drawBaton draws a baton as it can be stored.
func drawBaton(t *rapid.T, cluster string) Baton {
	f := drawFence(t)
	b := Baton{Mark: Mark{Cluster: cluster, Fence: Fence{Born: max(f.Born, 1), Epoch: max(f.Epoch, 1)}}, Advertised: drawGood(t, "advertised")}
	if !b.Advertised.IsZero() {
		b.Previous, b.Since = drawGood(t, "previous"), toTheSecond(drawTime.Draw(t, "since"))
	}
	if e := drawGood(t, "latch"); !e.IsZero() {
		id := drawIdentity.Filter(func(s string) bool { return s == "" || plainWord(s) }).Draw(t, "latch identity")
		b.Latch = Latch{Identity: id, Endpoint: e, At: toTheSecond(drawTime.Draw(t, "latched at"))}
	}
	b.Identity = b.Latch.Identity
	b.Withheld, b.Handover = rapid.Bool().Draw(t, "withheld"), drawHandover.Draw(t, "handover")
	b.Reservations = slices.Clone(machines[:rapid.IntRange(0, 2).Draw(t, "reservations")])
	b.ReservationsOmitted = len(b.Reservations) == 0 && rapid.Bool().Draw(t, "omitted")
	return b
}

func drawStack(t *rapid.T, name string) Stack {
	return Stack{
		At: drawTime.Draw(t, name+" at"), Addr: drawAddr.Draw(t, name+" address"), BootFile: drawWrong.Draw(t, name), Healthcheck: drawWrong.Draw(t, name),
		Script: drawWrong.Draw(t, name), TinkServer: drawWrong.Draw(t, name), Proof: drawAddr.Draw(t, name+" proof"), Endpoint: drawEndpoint(t, name),
	}
}

func drawView(t *rapid.T, name string) ClusterView {
	return ClusterView{
		Found: rapid.Bool().Draw(t, name), Paused: rapid.Bool().Draw(t, name), Provisioned: rapid.Bool().Draw(t, name),
		Nodes: rapid.IntRange(-1, 2).Draw(t, name), NodesHere: rapid.IntRange(-1, 2).Draw(t, name),
	}
}

func drawSeen(t *rapid.T) BatonSeen {
	seen := BatonSeen{Known: rapid.IntRange(0, 9).Draw(t, "known") > 0}
	switch rapid.IntRange(0, 5).Draw(t, "seen") {
	case 0:
		seen.Problem = &Problem{Reason: ReasonInvalidBaton, Conflict: true}
	case 1:
		seen.Left = drawBaton(t, "lab")
	case 2:
	default:
		seen.Present, seen.Baton = true, drawBaton(t, drawCluster.Draw(t, "baton of"))
	}
	return seen
}

// drawObservation draws anything at all.
func drawObservation(t *rapid.T) Observation {
	o := Observation{
		At: drawTime.Draw(t, "at"), Role: Role(rapid.IntRange(0, 3).Draw(t, "role")), Policy: Policy(rapid.IntRange(0, 1).Draw(t, "policy")),
		Identity: drawIdentity.Draw(t, "identity"), Born: drawFence(t).Born, Cluster: drawCluster.Draw(t, "cluster"),
		BootstrapIP: drawAddr.Draw(t, "B"), TinkerbellIP: drawAddr.Draw(t, "M"), ISOBoot: rapid.IntRange(0, 5).Draw(t, "iso") == 0,
		SkipLoadBalancer: rapid.Bool().Draw(t, "skip"), Baton: drawSeen(t), AtBootstrap: drawStack(t, "at B"), AtTinkerbell: drawStack(t, "at M"),
		AllowPXE: rapid.IntRange(-1, 1).Draw(t, "allowPXE"), WorkflowsKnown: rapid.Bool().Draw(t, "workflows"), BootstrapFailures: rapid.IntRange(0, 4).Draw(t, "failures"),
		Evidence: Evidence{BatonMoved: rapid.Bool().Draw(t, "moved"), HardwareMoved: rapid.Bool().Draw(t, "moved"), Local: drawView(t, "local")},
		Parity:   Parity{Known: rapid.Bool().Draw(t, "parity"), Missing: slices.Clone(machines[:rapid.IntRange(0, 2).Draw(t, "missing")])},
		Operator: Operator{Freeze: rapid.IntRange(0, 5).Draw(t, "freeze") == 0, Force: drawIdentity.Draw(t, "force")},
		Streak:   Streak{Identity: drawIdentity.Draw(t, "streak"), Endpoint: drawEndpoint(t, "streak"), First: drawTime.Draw(t, "first"), Last: drawTime.Draw(t, "last"), Rounds: rapid.IntRange(-1, 4).Draw(t, "rounds")},
	}
	for _, name := range []string{"dnsmasq", "kea"}[:rapid.IntRange(0, 2).Draw(t, "services")] {
		s := Service{Name: name, Unreadable: drawWrong.Draw(t, "unreadable")}
		if s.Unreadable == "" {
			s.Says, s.Mark = drawEndpoint(t, name), Mark{Cluster: drawCluster.Draw(t, "mark"), Fence: drawFence(t), Identity: drawIdentity.Draw(t, "mark")}
		}
		o.Services = append(o.Services, s)
	}
	if rapid.Bool().Draw(t, "remote") {
		o.Evidence.Remote = &Remote{Identity: drawIdentity.Draw(t, "remote"), Cluster: drawView(t, "remote"), Baton: drawBaton(t, "lab")}
	}
	if rapid.IntRange(0, 3).Draw(t, "overridden") == 0 {
		o.Operator.Override, o.Operator.OverrideSeen = drawEndpoint(t, "override"), drawStack(t, "override")
	}
	if rapid.IntRange(0, 5).Draw(t, "problem") == 0 {
		o.Problems = []Problem{{Reason: "SomeProblem", Object: "Cluster default/lab", Remedy: "remedy", Conflict: rapid.Bool().Draw(t, "conflict")}}
	}
	if rapid.Bool().Draw(t, "reserved") {
		o.Reservations = []Pair{machines[1], "rubbish\n", machines[0], machines[0]}
	}
	return o
}
