package reservation

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// full are settings with something in every field, so that every change of one field shows.
func full() *Settings {
	addr := netip.MustParseAddr
	return &Settings{
		Gateway: addr("10.0.0.1"), DomainName: "lab.example", NameServers: []netip.Addr{addr("10.0.0.2")}, TimeServers: []netip.Addr{addr("10.0.0.3")},
		Lease: 60, VLAN: 7, Routes: []Route{{netip.MustParsePrefix("10.1.0.0/16"), addr("10.0.0.4")}}, Options: []Option{{150, []byte{1}}},
		Arch: "x86_64", UEFI: true,
		Netboot: Netboot{
			Allow: true, Withheld: true, TFTPServerName: "t", BootFileName: "b", IPXEBinary: "i", IPXEURL: "u", IPXEContents: "c", Facility: "f",
			OSIE: OSIE{BaseURL: "b", Kernel: "k", Initrd: "i", KernelParams: []string{"p"}},
		},
	}
}

// each calls f with every value below v that is not made of others, named by its path.
func each(path string, v reflect.Value, f func(string, reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[netip.Addr](), v.Type() == reflect.TypeFor[netip.Prefix]():
		f(path, v)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			each(path+"."+v.Type().Field(i).Name, v.Field(i), f)
		}
	case v.Kind() == reflect.Slice:
		f(path, v)
		for i := range v.Len() {
			each(path+"[]", v.Index(i), f)
		}
	default:
		f(path, v)
	}
}

// another puts another value in the place of v.
func another(t *testing.T, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(v.Uint() + 1)
	case reflect.Slice:
		v.Set(reflect.AppendSlice(v, v))
	case reflect.Struct:
		switch was := v.Interface().(type) {
		case netip.Addr:
			v.Set(reflect.ValueOf(was.Next()))
		case netip.Prefix:
			v.Set(reflect.ValueOf(netip.PrefixFrom(was.Addr(), was.Bits()+1)))
		}
	default:
		t.Fatalf("%s is a %v: teach this test, and Settings.appendTo, what makes it another", path, v.Kind())
	}
}

// TestPoolTellsEveryDifference changes each field there is, so that none can be added and forgotten.
func TestPoolTellsEveryDifference(t *testing.T) {
	pool, fields := NewPool(), 0
	share := func(s *Settings) *Settings {
		r := &Reservation{Settings: s}
		pool.Share(r)
		return r.Settings
	}
	known := share(full())
	if share(full()) != known {
		t.Fatal("equal settings stand in memory twice")
	}
	var paths []string
	each("Settings", reflect.ValueOf(full()).Elem(), func(path string, _ reflect.Value) { paths = append(paths, path) })
	for _, changed := range paths {
		s, done := full(), false
		each("Settings", reflect.ValueOf(s).Elem(), func(path string, v reflect.Value) {
			if path == changed && !done {
				another(t, path, v)
				done, fields = true, fields+1
			}
		})
		if got := share(s); got == known || !reflect.DeepEqual(got, s) {
			t.Errorf("settings with another %s are taken for the same", changed)
		}
	}
	if fields < 25 {
		t.Errorf("only %d fields were looked at", fields)
	}
}

func TestPoolSharesNames(t *testing.T) {
	pool := NewPool()
	a := &Reservation{Source: Source{Namespace: strings.Clone("eksa-system"), Name: "h.csv:wk1"}, Hostname: strings.Clone("wk1"), Settings: full()}
	b := &Reservation{Source: Source{Namespace: strings.Clone("eksa-system"), Name: "wk2"}, Hostname: strings.Clone("other"), Settings: full()}
	pool.Share(a)
	pool.Share(b)
	if a.Hostname != "wk1" || b.Hostname != "other" || a.Source.Namespace != "eksa-system" || a.Source.Name != "h.csv:wk1" {
		t.Errorf("%+v, %+v", a, b)
	}
	if got := testing.AllocsPerRun(100, func() { pool.Share(a) }); got != 0 {
		t.Errorf("%v allocations for what is known", got)
	}
}

// TestPoolForgets: what differs without end does not fill the memory.
func TestPoolForgets(t *testing.T) {
	pool := NewPool()
	for i := range 3 * poolSize / settingsSize {
		s := full()
		s.Netboot.IPXEContents = strings.Repeat("x", i%1000)
		s.Lease = uint32(i + 1)
		pool.Share(&Reservation{Settings: s})
		if pool.size > poolSize {
			t.Fatalf("%d bytes are remembered", pool.size)
		}
	}
}
