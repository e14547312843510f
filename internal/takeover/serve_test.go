package takeover

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestServe(t *testing.T) {
	b, m := shapes()[1].at(addrB), shapes()[1].at(addrM)
	at := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	plain := Baton{Mark: Mark{Cluster: "lab", Fence: Fence{1000, 1}}, Advertised: b}
	withheld, empty := plain, plain
	withheld.Withheld, empty.Advertised = true, Endpoint{}
	latched := plain
	latched.Advertised, latched.Previous, latched.Latch = m, b, Latch{Identity: "management-1", Endpoint: m, At: at}
	nameless := latched
	nameless.Latch.Identity = ""
	overridden := latched
	overridden.Advertised = b
	here := func(b Baton) BatonSeen { return BatonSeen{Known: true, Present: true, Baton: b} }
	silent := func(reason string) Stance { return Stance{Silent: true, Reason: reason} }
	keep := func(s Stance) Stance { s.Keep = true; return s }
	for name, test := range map[string]struct {
		role        Role
		identity    string
		seen        BatonSeen
		own         Endpoint
		bootstrapIP netip.Addr
		after       time.Duration
		want        Stance
	}{
		"bootstrap, no baton":              {role: RoleBootstrap, seen: BatonSeen{Known: true}, own: b, want: Stance{Advertise: b}},
		"bootstrap, not known":             {role: RoleBootstrap, seen: BatonSeen{}, own: b, want: keep(Stance{Advertise: b})},
		"bootstrap, edited":                {role: RoleBootstrap, seen: BatonSeen{Known: true, Problem: &Problem{}}, own: b, want: keep(Stance{Advertise: b})},
		"bootstrap, nothing advertised":    {role: RoleBootstrap, seen: here(empty), own: b, want: Stance{Advertise: b}},
		"bootstrap, B":                     {role: RoleBootstrap, seen: here(plain), own: m, want: Stance{Advertise: b}},
		"bootstrap, withheld":              {role: RoleBootstrap, seen: here(withheld), own: b, want: Stance{Advertise: b, Withheld: true}},
		"bootstrap, moved away":            {role: RoleBootstrap, seen: BatonSeen{Known: true, Left: withheld}, own: b, want: Stance{Advertise: b, Withheld: true}},
		"bootstrap, latched":               {role: RoleBootstrap, seen: here(nameless), own: b, after: time.Second, want: Stance{Advertise: m, Also: m.Addr}},
		"bootstrap, latched elsewhere":     {role: RoleBootstrap, seen: here(latched), own: b, after: time.Hour, want: Stance{Advertise: m}},
		"bootstrap, left latched":          {role: RoleBootstrap, seen: BatonSeen{Known: true, Left: latched}, own: b, after: time.Hour, want: Stance{Advertise: m}},
		"bootstrap, just before the end":   {role: RoleBootstrap, seen: here(latched), own: b, after: 10*time.Minute - 1, want: Stance{Advertise: m, Also: m.Addr}},
		"bootstrap, at the end":            {role: RoleBootstrap, seen: here(latched), own: b, after: 10 * time.Minute, want: Stance{Advertise: m}},
		"bootstrap, clocks far apart":      {role: RoleBootstrap, seen: here(latched), own: b, after: -10 * time.Minute, want: Stance{Advertise: m}},
		"bootstrap, itself at M":           {role: RoleBootstrap, seen: here(latched), own: m, after: time.Second, want: Stance{Advertise: m}},
		"management, no baton":             {role: RoleManagement, identity: "management-1", seen: BatonSeen{Known: true}, own: m, want: silent(ReasonTakeoverPending)},
		"management, not known":            {role: RoleManagement, identity: "management-1", own: m, want: keep(silent(ReasonTakeoverPending))},
		"management, B":                    {role: RoleManagement, identity: "management-1", seen: here(plain), own: m, want: silent(ReasonTakeoverPending)},
		"management, latched":              {role: RoleManagement, identity: "management-1", seen: here(latched), own: m, after: time.Minute, want: Stance{Advertise: m, Also: b.Addr}},
		"management, bootstrapIP":          {role: RoleManagement, identity: "management-1", seen: here(latched), own: m, after: time.Minute, bootstrapIP: netip.MustParseAddr("192.168.2.111"), want: Stance{Advertise: m, Also: netip.MustParseAddr("192.168.2.111")}},
		"management, later":                {role: RoleManagement, identity: "management-1", seen: here(latched), own: m, after: 11 * time.Minute, want: Stance{Advertise: m}},
		"management, overridden":           {role: RoleManagement, identity: "management-1", seen: here(overridden), own: m, after: time.Hour, want: Stance{Advertise: b}},
		"management, moved for an upgrade": {role: RoleManagement, identity: "management-1", seen: BatonSeen{Known: true, Left: latched}, own: m, after: time.Hour, want: Stance{Advertise: m}},
		"management, of another":           {role: RoleManagement, identity: "management-2", seen: here(latched), own: m, want: silent(ReasonLatchOfAnotherCluster)},
		"management, of nobody":            {role: RoleManagement, identity: "", seen: here(nameless), own: m, want: silent(ReasonLatchOfAnotherCluster)},
		"unknown":                          {role: RoleUnknown, identity: "management-1", seen: here(plain), own: m, want: silent(ReasonRoleUnknown)},
		"unknown, latched":                 {role: RoleUnknown, identity: "management-1", seen: here(latched), own: m, after: time.Hour, want: Stance{Advertise: m}},
		"unknown, of another":              {role: RoleUnknown, identity: "management-2", seen: here(latched), own: m, want: silent(ReasonRoleUnknown)},
		"no role at all":                   {role: 9, identity: "management-1", seen: here(latched), own: m, want: silent(ReasonRoleUnknown)},
	} {
		if got := Serve(test.role, test.identity, test.seen, test.own, test.bootstrapIP, at.Add(test.after)); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// TestServeNeverContradicts: nobody but the bootstrap instance answers without a latch of its own, and no other server is
// answered for ten minutes after the change.
func TestServeNeverContradicts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		role, identity, seen, now := Role(rapid.IntRange(0, 3).Draw(t, "role")), drawIdentity.Draw(t, "identity"), drawSeen(t), drawTime.Draw(t, "now")
		own := drawGood(t, "own")
		s := Serve(role, identity, seen, own, drawAddr.Draw(t, "B"), now)
		b := seen.stored()
		switch {
		case !s.Silent && role != RoleBootstrap && (b.Latch.Identity != identity || !b.Latch.Set()):
			t.Fatalf("answers without a latch: %+v", s)
		case s.Also.IsValid() && (now.Sub(b.Latch.At).Abs() >= 10*time.Minute || s.Also == own.Addr || unreachable(s.Also) != "" || s.Silent):
			t.Fatalf("answers for %s: %+v", s.Also, s)
		case s.Silent == (s.Reason == ""):
			t.Fatalf("silence without a reason, or a reason without silence: %+v", s)
		case role == RoleBootstrap && seen.Known && seen.Problem == nil && b.Latch.Set() && s.Advertise != b.Advertised:
			t.Fatalf("tells %+v in spite of the latch: %+v", s.Advertise, b)
		}
	})
}
