package kea

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// wanted is n machines in 10.9.0.0/24 and one in 10.8.0.0/24, for the endpoint at next.
func wanted(cluster string, n int, next string, epoch int64) render.Wanted {
	w := render.Wanted{Word: render.Word{
		Mark: takeover.Mark{Cluster: cluster, Fence: takeover.Fence{Born: 1_700_000_000, Epoch: epoch}},
		Says: takeover.Endpoint{Addr: netip.MustParseAddr(next), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe", BootFiles: "uefi-x86-64=ipxe.efi"},
	}}
	cell := byte(len(cluster))
	machine := func(i byte, address [4]byte) *reservation.Reservation {
		return &reservation.Reservation{
			Source: reservation.Source{Name: "node"}, MAC: reservation.MAC{2, 0, 0, 0, cell, i}, Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4(address), 24)), Hostname: "node",
			Settings: &reservation.Settings{Lease: reservation.DefaultLease, Gateway: netip.AddrFrom4([4]byte{10, 9, 0, 1}), Routes: []reservation.Route{{Destination: netip.MustParsePrefix("172.16.0.0/12"), Router: netip.AddrFrom4([4]byte{10, 9, 0, 3})}}},
		}
	}
	w.Networks = []render.Network{
		{Prefix: netip.MustParsePrefix("10.8.0.0/24"), Reservations: []*reservation.Reservation{machine(200, [4]byte{10, 8, 0, 10 + cell})}},
		{Prefix: netip.MustParsePrefix("10.9.0.0/24")},
	}
	for i := range n {
		w.Networks[1].Reservations = append(w.Networks[1].Reservations, machine(byte(i), [4]byte{10, 9, 0, 10*cell + byte(i)}))
	}
	return w
}

const (
	before = "10.9.0.112"
	after  = "10.9.0.50"
)

func connect(t *testing.T, f *fake) *Driver {
	t.Helper()
	d, err := New(Options{URL: f.listen(t), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func apply(t *testing.T, d *Driver, want render.Wanted) {
	t.Helper()
	s, err := dhcpservice.Apply(t.Context(), d, want, nil)
	if err != nil || s.Word != want.Word || s.Reservations != want.Reservations() || s.Drifts != 0 {
		t.Fatalf("applied: %+v, %v", s, err)
	}
}

// since returns the commands that change something since the last call.
func (f *fake) since() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	given := f.given
	f.given = nil
	return slices.DeleteFunc(given, func(c string) bool { return c == "config-get" || c == "list-commands" })
}

// operators is what is the operator's in the configuration.
func (f *fake) operators() map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	config := filled(f.dhcp4)
	ours := func(name any) bool { return strings.HasPrefix(name.(string), "tugboot-") }
	rest := func(s any) {
		subnet := s.(map[string]any)
		subnet["reservations"] = slices.DeleteFunc(slices.Clone(subnet["reservations"].([]any)), func(r any) bool {
			return slices.ContainsFunc(r.(map[string]any)["client-classes"].([]any), ours)
		})
	}
	config["client-classes"] = slices.DeleteFunc(config["client-classes"].([]any), func(c any) bool { return ours(c.(map[string]any)["name"]) })
	for _, s := range config["subnet4"].([]any) {
		rest(s)
	}
	for _, n := range config["shared-networks"].([]any) {
		for _, s := range n.(map[string]any)["subnet4"].([]any) {
			rest(s)
		}
	}
	return config
}

func TestWhichCommandsChangeWhat(t *testing.T) {
	for _, modern := range []bool{false, true} {
		f := newFake(t, modern)
		d, own := connect(t, f), f.operators()
		whole := []string{"config-test", "config-set", "config-write"}
		single := func(commands ...string) []string {
			if !modern {
				return whole
			}
			return append(commands, "config-write")
		}
		moved := wanted("lab", 3, after, 2)
		moved.Networks[1].Reservations[0].Address = reservation.MustParsePrefix("10.9.0.99/24")
		renamed := wanted("lab", 2, after, 2)
		renamed.Networks[1].Reservations[1].Hostname = "other"
		inHall := wanted("lab", 0, after, 2)
		for _, step := range []struct {
			what string
			want render.Wanted
			with []string
		}{
			{"nothing stands there", wanted("lab", 2, before, 1), whole},
			{"the same again", wanted("lab", 2, before, 1), []string{"config-write"}},
			{"another next-server", wanted("lab", 2, after, 2), whole},
			{"one more", wanted("lab", 3, after, 2), single(commandAdd)},
			{"an address changes", moved, whole},
			{"one less, and one renamed", renamed, whole},
			{"back to its name", wanted("lab", 2, after, 2), single(commandUpdate)},
			{"two less", inHall, single(commandDel, commandDel)},
			{"a higher epoch", wanted("lab", 0, after, 3), whole},
		} {
			f.since()
			apply(t, d, step.want)
			if diff := cmp.Diff(step.with, f.since()); diff != "" {
				t.Errorf("modern %t, %s (-want +given):\n%s", modern, step.what, diff)
			}
			if diff := cmp.Diff(own, f.operators()); diff != "" {
				t.Errorf("modern %t, %s: the operator's own (-before +after):\n%s", modern, step.what, diff)
			}
		}
		if version, err := d.Version(t.Context()); err != nil || modern != (version == "3.0.4") {
			t.Errorf("version %q, %v", version, err)
		}
	}
}

func TestManyChangesGoAtOnce(t *testing.T) {
	f := newFake(t, true)
	d := connect(t, f)
	w := wanted("lab", 0, before, 1)
	apply(t, d, w)
	f.since()
	w.Networks[1].Prefix = netip.MustParsePrefix("10.9.0.0/16")
	f.dhcp4["subnet4"].([]any)[0].(map[string]any)["subnet"] = "10.9.0.0/16"
	for i := range maxSingle + 1 {
		r := *w.Networks[0].Reservations[0]
		r.MAC, r.Address = reservation.MAC{6, 0, 0, 0, byte(i >> 8), byte(i)}, reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, byte(1 + i>>8), byte(i)}), 16))
		w.Networks[1].Reservations = append(w.Networks[1].Reservations, &r)
	}
	apply(t, d, w)
	if got := f.since(); !slices.Equal(got, []string{"config-test", "config-set", "config-write"}) {
		t.Errorf("given: %v", got)
	}
}

func TestTwoClustersSideBySide(t *testing.T) {
	f := newFake(t, false)
	lab, other := connect(t, f), connect(t, f)
	own := f.operators()
	apply(t, lab, wanted("lab", 2, before, 1))
	apply(t, other, wanted("lab-2", 2, after, 9)) // its name begins with the other's
	apply(t, lab, wanted("lab", 1, after, 2))
	for d, want := range map[*Driver]render.Wanted{lab: wanted("lab", 1, after, 2), other: wanted("lab-2", 2, after, 9)} {
		if s, err := d.Read(t.Context(), want); err != nil || s.Drifts != 0 || s.Word != want.Word || s.Reservations != want.Reservations() {
			t.Errorf("%s: %+v, %v", want.Word.Mark.Cluster, s, err)
		}
	}
	if diff := cmp.Diff(own, f.operators()); diff != "" {
		t.Errorf("the operator's own (-before +after):\n%s", diff)
	}
}

func TestRestoreLeavesOperatorsChanges(t *testing.T) {
	f := newFake(t, true)
	d := connect(t, f)
	apply(t, d, wanted("lab", 2, before, 1))
	restore, err := d.Keep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), wanted("lab", 3, after, 2)); err != nil {
		t.Fatal(err)
	}
	f.dhcp4["valid-lifetime"] = "4711"
	f.since()
	if err := restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.since(); !slices.Equal(got, []string{"config-set", "config-write"}) || f.dhcp4["valid-lifetime"] != "4711" {
		t.Errorf("given: %v; the operator's lifetime is %v", got, f.dhcp4["valid-lifetime"])
	}
	if s, err := d.Read(t.Context(), wanted("lab", 2, before, 1)); err != nil || s.Drifts != 0 || s.Word != wanted("lab", 2, before, 1).Word {
		t.Errorf("restored: %+v, %v", s, err)
	}
}

// A server of a pair is told when it serves again, and one that stands alone is not asked.
func TestAPairIsWaitedFor(t *testing.T) {
	for _, paired := range []bool{true, false} {
		f := newFake(t, false)
		if f.joins = 3; paired {
			f.configure(t, strings.Replace(operatorConfig, "{", `{"hooks-libraries": [{"library": "/usr/lib/kea/hooks/libdhcp_ha.so"}],`, 1))
		}
		apply(t, connect(t, f), wanted("lab", 2, before, 1))
		asked := 0
		for _, command := range f.since() {
			if command == "status-get" {
				asked++
			}
		}
		if want := map[bool]int{true: 4, false: 0}[paired]; asked != want {
			t.Errorf("paired %t: its state was asked for %d times, want %d", paired, asked, want)
		}
	}
}

func TestReadTellsWhatLintFinds(t *testing.T) {
	f := newFake(t, false)
	f.configure(t, strings.Replace(operatorConfig, `"ip-address": "10.9.0.200"`, `"ip-address": "10.9.0.200", "boot-file-name": "ipxe.efi"`, 1))
	for _, c := range []struct {
		disable []string
		want    int
	}{{nil, 1}, {[]string{"kea-host-boot-file"}, 0}} {
		d, err := New(Options{URL: f.listen(t), Disable: c.disable, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		s, err := d.Read(t.Context(), wanted("lab", 2, before, 2))
		if err != nil {
			t.Fatal(err)
		}
		found := slices.DeleteFunc(s.Findings.Lines, func(line string) bool {
			return !strings.HasPrefix(line, "config-get:") || !strings.Contains(line, "[kea-host-boot-file]")
		})
		if len(found) != c.want {
			t.Errorf("without %q: %+v", c.disable, s.Findings)
		}
	}
}

func TestKeepNeedsACluster(t *testing.T) {
	if _, err := connect(t, newFake(t, false)).Keep(t.Context()); err == nil {
		t.Error("it keeps the reservations of nobody")
	}
}
