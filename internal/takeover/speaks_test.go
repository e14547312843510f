package takeover

import "testing"

func TestSpeaks(t *testing.T) {
	b, m := shapes()[1].at(addrB), shapes()[1].at(addrM)
	plain := Baton{Mark: Mark{Cluster: "lab", Fence: Fence{1000, 1}}, Advertised: b}
	withheld, empty, left := plain, plain, plain
	withheld.Withheld, empty.Advertised, left.Handover = true, Endpoint{}, "HardwareMoved"
	latched := plain
	latched.Advertised, latched.Latch = m, Latch{Identity: "management-1", Endpoint: m}
	here := func(b Baton) BatonSeen { return BatonSeen{Known: true, Present: true, Baton: b} }
	nothing := Mark{Cluster: "lab"}
	for name, test := range map[string]struct {
		role     Role
		identity string
		seen     BatonSeen
		mark     Mark
		says     Endpoint
	}{
		"bootstrap, no baton":           {role: RoleBootstrap, seen: BatonSeen{Known: true}},
		"bootstrap, B":                  {role: RoleBootstrap, seen: here(plain), mark: plain.Mark, says: b},
		"bootstrap, withheld":           {role: RoleBootstrap, seen: here(withheld), mark: plain.Mark, says: b},
		"bootstrap, latched":            {role: RoleBootstrap, seen: here(latched), mark: plain.Mark, says: m},
		"bootstrap, nothing advertised": {role: RoleBootstrap, seen: here(empty), mark: nothing},
		"bootstrap, saw it leave":       {role: RoleBootstrap, seen: here(left), mark: nothing},
		"bootstrap, it left":            {role: RoleBootstrap, seen: BatonSeen{Known: true, Left: plain}, mark: nothing},
		"bootstrap, not known":          {role: RoleBootstrap, seen: BatonSeen{Present: true, Baton: plain}, mark: nothing},
		"bootstrap, edited":             {role: RoleBootstrap, seen: BatonSeen{Known: true, Present: true, Problem: &Problem{}}},
		"management, B":                 {role: RoleManagement, identity: "management-1", seen: here(plain), mark: nothing},
		"management, latched":           {role: RoleManagement, identity: "management-1", seen: here(latched), mark: plain.Mark, says: m},
		"management, of another":        {role: RoleManagement, identity: "management-2", seen: here(latched), mark: nothing},
		"unknown, latched":              {role: RoleUnknown, identity: "management-1", seen: here(latched), mark: nothing},
		"no role at all":                {role: 9, identity: "management-1", seen: here(latched), mark: nothing},
	} {
		mark, says, speaks := Speaks(test.role, test.identity, test.seen)
		if mark != test.mark || says != test.says || speaks != test.says.Addr.IsValid() {
			t.Errorf("%s: %+v, %+v, %t; want %+v, %+v", name, mark, says, speaks, test.mark, test.says)
		}
	}
}
