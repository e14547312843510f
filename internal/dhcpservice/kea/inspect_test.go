package kea

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// What stands in the way of a Wanted is named, and nothing is changed.
func TestInTheWay(t *testing.T) {
	edit := func(old, with string) func(string) string {
		return func(config string) string {
			if !strings.Contains(config, old) {
				panic(old)
			}
			return strings.Replace(config, old, with, 1)
		}
	}
	marked := func(name, context string) func(string) string {
		return edit(`"client-classes": [{"name": "phones"`, fmt.Sprintf(`"client-classes": [{"name": %q%s}, {"name": "phones"`, name, context))
	}
	mark := func(cluster string) string {
		text, err := wanted(cluster, 0, before, 1).Word.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return `, "user-context": {"tugboot-mark": ` + string(text) + `}`
	}
	for name, c := range map[string]struct {
		config func(string) string
		change func(*render.Wanted)
		says   []string
	}{
		"operator's MAC": {edit("52:54:00:e1:00:01", "02:00:00:00:03:01"), nil, []string{"10.9.0.0/24", "02:00:00:00:03:01", "of the operator's", "remove"}},
		"operator's MAC in capitals": {edit("52:54:00:e1:00:01", "02:00:00:00:03:C8"), func(w *render.Wanted) {
			w.Networks[1].Reservations[0].MAC = [6]byte{2, 0, 0, 0, 3, 0xc8}
			w.Networks[0].Reservations = nil
		}, []string{"02:00:00:00:03:c8"}},
		"operator's address": {edit(`"10.9.0.200"`, `"10.9.0.31"`), nil, []string{"10.9.0.31 of 02:00:00:00:03:01", `"52:54:00:e1:00:01"`}},
		"another cluster's": {
			edit(`"client-classes": ["phones"]`, `"client-classes": ["tugboot-edge"]`), func(w *render.Wanted) {
				w.Networks[1].Reservations[0].Address = reservation.MustParsePrefix("10.9.0.200/24")
			},
			[]string{"of another cluster", `"tugboot-edge"`},
		},
		"for all subnets": {
			edit(`"subnet4": [{"id": 7`, `"reservations-global": true, "reservations": [{"hw-address": "02:00:00:00:03:00"}], "subnet4": [{"id": 7`), nil, []string{"for all subnets", "02:00:00:00:03:00"},
		},
		"no such subnet":             {edit("10.8.0.0/24", "10.7.0.0/24"), nil, []string{"10.8.0.0/24", "add it to subnet4"}},
		"a wider subnet":             {edit("10.8.0.0/24", "10.8.0.0/16"), nil, []string{"10.8.0.0/24", "Kea serves 10.8.0.0/16"}},
		"not looked for":             {edit(`"subnet": "10.8.0.0/24"`, `"subnet": "10.8.0.0/24", "reservations-in-subnet": false`), nil, []string{"10.8.0.0/24", "reservations-in-subnet"}},
		"nor in the network":         {edit(`"name": "hall"`, `"name": "hall", "reservations-in-subnet": false`), nil, []string{"10.8.0.0/24", "reservations-in-subnet"}},
		"nor by MAC":                 {edit(`"client-classes"`, `"host-reservation-identifiers": ["client-id"], "client-classes"`), nil, []string{"client-id", "add hw-address"}},
		"no mark":                    {marked("tugboot-lab", ""), nil, []string{`"tugboot-lab"`, "no mark", "remove the class"}},
		"a mark of nonsense":         {marked("tugboot-lab", `, "user-context": {"tugboot-mark": {"cluster": "lab", "surprise": 1}}`), nil, []string{`"tugboot-lab"`, "surprise", "remove the class"}},
		"another's mark":             {marked("tugboot-lab", mark("edge")), nil, []string{`"tugboot-lab"`, "edge"}},
		"a mark elsewhere":           {marked("tugboot-lab-ipxe", mark("lab")), nil, []string{`"tugboot-lab-ipxe"`, "lab"}},
		"a cluster of a rule's name": {marked("tugboot-lab-ipxe", mark("lab-ipxe")), nil, []string{"tugboot-lab-ipxe", "another cluster"}},
		"a MAC twice": {
			edit("", ""), func(w *render.Wanted) { w.Networks[1].Reservations[1].MAC = w.Networks[1].Reservations[0].MAC }, []string{"02:00:00:00:03:00", "has it too"},
		},
		"an address twice": {
			edit("", ""), func(w *render.Wanted) { w.Networks[1].Reservations[1].Address = w.Networks[1].Reservations[0].Address }, []string{"10.9.0.30", "has it too"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, true)
			f.configure(t, c.config(operatorConfig))
			w := wanted("lab", 2, before, 1)
			if c.change != nil {
				c.change(&w)
			}
			_, err := dhcpservice.Apply(t.Context(), connect(t, f), w, nil)
			if err == nil {
				t.Fatal("applied")
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v\nwant %q in it", err, text)
				}
			}
			if given := f.since(); len(given) > 0 {
				t.Errorf("given: %v", given)
			}
		})
	}
}

func TestSubnetsWithoutReservationsMustBeThere(t *testing.T) {
	f := newFake(t, false)
	d, err := New(Options{URL: f.listen(t), Subnets: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24"), netip.MustParsePrefix("10.1.0.0/24")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(t.Context(), wanted("lab", 1, before, 1)); err == nil || !strings.Contains(err.Error(), "10.1.0.0/24") || strings.Contains(err.Error(), "10.9.0.0/24") {
		t.Errorf("%v", err)
	}
}

func TestManyConflictsAreCounted(t *testing.T) {
	f := newFake(t, false)
	w := wanted("lab", 30, before, 1)
	var hosts []string
	for _, r := range w.Networks[1].Reservations {
		hosts = append(hosts, fmt.Sprintf(`{"hw-address": %q, "ip-address": "10.9.0.250"}`, r.MAC))
	}
	f.configure(t, `{"subnet4": [{"id": 1, "subnet": "10.8.0.0/24"}, {"id": 2, "subnet": "10.9.0.0/24", "reservations": [`+strings.Join(hosts, ",")+`]}]}`)
	if err := connect(t, f).Check(t.Context(), w); err == nil || !strings.Contains(err.Error(), "and 20 more") {
		t.Errorf("%v", err)
	}
}

// What was changed by hand is told, and put right.
func TestDrift(t *testing.T) {
	type object = map[string]any
	classOf := func(f *fake, name string) object {
		i := slices.IndexFunc(f.dhcp4["client-classes"].([]any), func(c any) bool { return c.(object)["name"] == name })
		return f.dhcp4["client-classes"].([]any)[i].(object)
	}
	hosts := func(f *fake) []any { return f.dhcp4["subnet4"].([]any)[0].(object)["reservations"].([]any) }
	for name, c := range map[string]struct {
		change func(f *fake)
		says   []string
		count  int
	}{
		"nothing":     {func(*fake) {}, nil, 0},
		"next-server": {func(f *fake) { classOf(f, "tugboot-lab-ipxe")["next-server"] = "10.9.9.9" }, []string{"tugboot-lab-ipxe", "next-server", "10.9.9.9", before}, 1},
		"never-send": {func(f *fake) {
			classOf(f, "tugboot-lab-http-uefi-x86-64")["option-data"].([]any)[0].(object)["never-send"] = true
		}, nil, 1},
		"a test": {func(f *fake) { delete(classOf(f, "tugboot-lab-ipxe"), "test") }, []string{"test", "is not there"}, 1},
		"a class more": {func(f *fake) {
			f.dhcp4["client-classes"] = append(f.dhcp4["client-classes"].([]any), object{"name": "tugboot-lab-mine"})
		}, []string{"tugboot-lab-mine", "not wanted"}, 1},
		"a class less":  {func(f *fake) { f.dhcp4["client-classes"] = f.dhcp4["client-classes"].([]any)[1:] }, []string{"tugboot-lab: it is not there"}, 1},
		"another order": {func(f *fake) { all := f.dhcp4["client-classes"].([]any); all[2], all[3] = all[3], all[2] }, []string{"does not stand where"}, 1},
		"an address":    {func(f *fake) { hosts(f)[1].(object)["ip-address"] = "10.9.0.77" }, []string{"02:00:00:00:03:00", "10.9.0.77", "10.9.0.30"}, 1},
		"a boot file":   {func(f *fake) { hosts(f)[1].(object)["boot-file-name"] = "own.efi" }, []string{"boot-file-name", "own.efi", "wanted not there"}, 1},
		"a host less":   {func(f *fake) { f.dhcp4["subnet4"].([]any)[0].(object)["reservations"] = hosts(f)[:2] }, []string{"02:00:00:00:03:01", "not there"}, 1},
		"a host more": {
			func(f *fake) {
				f.dhcp4["subnet4"].([]any)[0].(object)["reservations"] = append(hosts(f), object{"hw-address": "02:00:00:00:00:99", "client-classes": []any{"tugboot-lab"}})
			}, []string{"02:00:00:00:00:99", "not wanted"}, 1,
		},
		"all classes": {func(f *fake) { f.dhcp4["client-classes"] = []any{} }, nil, 6},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, false)
			d, want := connect(t, f), wanted("lab", 2, before, 1)
			apply(t, d, want)
			c.change(f)
			s, err := d.Read(t.Context(), want)
			if err != nil || s.Drifts != c.count || len(s.Drift) != c.count {
				t.Errorf("%+v, %v; want %d", s, err, c.count)
			}
			for _, text := range c.says {
				if !strings.Contains(strings.Join(s.Drift, "\n"), text) {
					t.Errorf("%q; want %q in it", s.Drift, text)
				}
			}
			apply(t, d, want)
		})
	}
}

func TestALowerWordAloneIsNoDrift(t *testing.T) {
	f := newFake(t, false)
	d := connect(t, f)
	apply(t, d, wanted("lab", 2, before, 1))
	if s, err := d.Read(t.Context(), wanted("lab", 2, before, 2)); err != nil || s.Drifts != 0 || s.Word.Mark.Fence.Epoch != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := d.Read(t.Context(), wanted("none", 2, before, 2)); err != nil || s.Present() || s.Reservations != 0 || s.Drifts == 0 {
		t.Errorf("nothing of the cluster's: %+v, %v", s, err)
	}
}

func TestDriftIsBounded(t *testing.T) {
	w := wanted("lab", 40, before, 1)
	if s, err := connect(t, newFake(t, false)).Read(t.Context(), w); err != nil || len(s.Drift) != maxDrift || s.Drifts != 6+41 {
		t.Errorf("%d sentences of %d, %v", len(s.Drift), s.Drifts, err)
	}
}

// Whatever config-get tells, reading it does not fail in another way than by an error, and what is not ours is kept.
func FuzzConfiguration(f *testing.F) {
	f.Add(`{"Dhcp4": ` + operatorConfig + `}`)
	f.Add(`{"Dhcp4": {"client-classes": [{"name": "tugboot-lab"}, {"name": "tugboot-lab"}, {}], "subnet4": [{"subnet": "10.9.0.0/24"}, {}]}}`)
	f.Add(`{"Dhcp4": {"subnet4": [{"subnet": "10.9.0.7/24", "reservations": [{"client-classes": ["tugboot-lab"]}]}]}}`)
	f.Add(`{"Control-agent": {}}`)
	p, err := partOf(wanted("lab", 2, before, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(json.RawMessage(text))
		if err != nil {
			return
		}
		stands := c.part("lab")
		if d := compare("lab", stands, p); len(d.sentences) > maxDrift || len(d.sentences) > d.count {
			t.Fatalf("%d sentences of %d", len(d.sentences), d.count)
		}
		if _, singly := c.changes(stands, p); singly && !sameClasses(stands.classes, p.classes) {
			t.Fatal("classes are changed singly")
		}
		if c.inspect("lab", p, nil) != nil || c.replace("lab", p) != nil {
			return
		}
		after, err := c.text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(after)
		if err != nil {
			t.Fatalf("%v:\n%s", err, after)
		}
		if !same("lab", again.part("lab"), p) {
			t.Fatalf("what was written is not what is read:\n%s", after)
		}
	})
}
