package ipxe

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	machineMAC  = reservation.MAC{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}
	machineAddr = netip.MustParseAddr("192.168.2.10")
	stackAddr   = netip.MustParseAddr("192.168.2.112")
)

// machine returns a reservation as the facts' hardware.csv example makes it, changed by edit.
func machine(edit func(*reservation.Reservation)) *reservation.Reservation {
	r := &reservation.Reservation{
		Source: reservation.Source{Namespace: "eksa-system", Name: "eksa-wk01", Interface: 0}, MAC: machineMAC, Address: reservation.PrefixOf(netip.PrefixFrom(machineAddr, 24)),
		Settings: &reservation.Settings{Lease: reservation.DefaultLease, Netboot: reservation.Netboot{Allow: true, Facility: "onprem"}},
	}
	if edit != nil {
		edit(r)
	}
	return r
}

func endpoint() boot.Endpoint {
	return boot.Endpoint{Addr: stackAddr, TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath}
}

func siteOptions() ScriptOptions { return ScriptOptions{HookURL: "http://192.168.2.112:8080/hook"} }

// catalog serves the reservations and collects what is reported.
func catalog(t *testing.T, o ScriptOptions, e boot.Endpoint, rs ...*reservation.Reservation) (*Catalog, *[]reservation.Problem) {
	t.Helper()
	return catalogOf(t, someBinaries(t), o, e, rs...)
}

func someBinaries(t testing.TB) *Library {
	t.Helper()
	library, err := Load(directory(t, "undionly.kpxe", "ipxe.efi", "ipxe-arm64.efi"), LibraryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return library
}

func catalogOf(t testing.TB, library *Library, o ScriptOptions, e boot.Endpoint, rs ...*reservation.Reservation) (*Catalog, *[]reservation.Problem) {
	t.Helper()
	e.Binaries = library.Binaries()
	var problems []reservation.Problem
	snapshot := inventory.New(rs)
	c, err := NewCatalog(library, func() *inventory.Snapshot { return snapshot }, func() boot.Endpoint { return e }, o,
		func(p reservation.Problem) { problems = append(problems, p) })
	if err != nil {
		t.Fatal(err)
	}
	return c, &problems
}

// BenchmarkScript is a script as a machine is given it, HTTP not counted: for the first time, and when it asks again.
func BenchmarkScript(b *testing.B) {
	r, e := machine(nil), endpoint()
	c, _ := catalogOf(b, someBinaries(b), siteOptions(), e, r)
	for name, get := range map[string]func() (Content, error){
		"made":  func() (Content, error) { return c.script(r, e, scriptName) },
		"again": func() (Content, error) { return c.Get("/auto.ipxe", machineAddr) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if content, err := get(); err != nil || len(content.Body) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}

// A script is made once for a reservation and an endpoint, and anew when either is another one.
func TestScriptIsMadeOnce(t *testing.T) {
	e, r := endpoint(), machine(nil)
	library := someBinaries(t)
	e.Binaries = library.Binaries()
	snapshot := inventory.New([]*reservation.Reservation{r})
	c, err := NewCatalog(library, func() *inventory.Snapshot { return snapshot }, func() boot.Endpoint { return e }, siteOptions(), func(reservation.Problem) {})
	if err != nil {
		t.Fatal(err)
	}
	get := func() []byte {
		content, err := c.Get("/auto.ipxe", machineAddr)
		if err != nil {
			t.Fatal(err)
		}
		return content.Body
	}
	first := get()
	if again := get(); &again[0] != &first[0] {
		t.Error("it was made again")
	}
	changed := machine(func(r *reservation.Reservation) { r.Netboot.Facility = "elsewhere" })
	snapshot = inventory.New([]*reservation.Reservation{changed})
	if text := string(get()); !strings.Contains(text, "facility=elsewhere") {
		t.Errorf("a changed machine is given the script of before:\n%s", text)
	}
	e.Addr = netip.MustParseAddr("192.168.2.240")
	if text := string(get()); !strings.Contains(text, "syslog_host=192.168.2.240") {
		t.Errorf("after a takeover, the script of before:\n%s", text)
	}
	for range 2 * maxScripts {
		snapshot = inventory.New([]*reservation.Reservation{machine(nil)})
		get()
	}
	if n := len(c.scripts.made); n > maxScripts {
		t.Errorf("%d scripts are remembered", n)
	}
}

func TestScriptGolden(t *testing.T) {
	for name, tc := range map[string]struct {
		options ScriptOptions
		edit    func(*reservation.Reservation)
		reason  boot.Reason
	}{
		"default": {siteOptions(), nil, boot.ReasonScript},
		"site": {ScriptOptions{
			HookURL: "https://mirror.example/hook/", KernelArgs: []string{"quiet", "net.ifnames=0"}, TinkServer: "tink.example:4443",
			TinkTLS: true, TinkInsecureTLS: true, SyslogHost: netip.MustParseAddr("192.168.2.9"), Consoles: []string{"ttyAMA0"},
		}, func(r *reservation.Reservation) { r.VLAN, r.AgentID = 50, "worker-7" }, boot.ReasonScript},
		"osie": {siteOptions(), func(r *reservation.Reservation) {
			r.Netboot.OSIE = reservation.OSIE{BaseURL: "http://files.example/os", Kernel: "v1/vmlinuz", Initrd: "v1/initrd.img",
				KernelParams: []string{"console=ttyS0,115200 quiet", "ds=nocloud;s=http://files.example/seed"}}
		}, boot.ReasonScript},
		"verified": {ScriptOptions{HookURL: "https://mirror.example/hook/", VerifyImages: true}, nil, boot.ReasonScript},
		"contents": {siteOptions(), func(r *reservation.Reservation) {
			r.Netboot.IPXEContents = "echo ${net0/mac} && shell\n"
		}, ReasonScriptContents},
		"url": {siteOptions(), func(r *reservation.Reservation) {
			r.Netboot.IPXEURL, r.Netboot.IPXEContents = "http://files.example/my.ipxe?mac=1", "not this"
		}, boot.ReasonScriptOverride},
		"boot-file-override": {siteOptions(), func(r *reservation.Reservation) {
			r.Netboot.TFTPServerName, r.Netboot.BootFileName = "192.168.2.1", "own.efi"
		}, boot.ReasonScript},
	} {
		t.Run(name, func(t *testing.T) {
			c, problems := catalog(t, tc.options, endpoint(), machine(tc.edit))
			got, err := c.Get("/ipxe/script/52:54:00:12:34:56/auto.ipxe", netip.Addr{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Reason != tc.reason || got.Machine != machineMAC || got.Type != "text/plain; charset=utf-8" || len(*problems) != 0 {
				t.Errorf("reason %s, machine %v, type %q, problems %v", got.Reason, got.Machine, got.Type, *problems)
			}
			golden(t, name+".ipxe", string(got.Body))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", file, diff)
	}
}

func TestContentsBecomeAScript(t *testing.T) {
	for in, want := range map[string]string{
		"#!ipxe\nshell":   "#!ipxe\nshell",
		"#!ipxe\r\nshell": "#!ipxe\r\nshell",
		"#!gpxe\nshell":   "#!gpxe\nshell",
		"#!ipxeshell":     "#!ipxe\n#!ipxeshell",
		"#!ipxe":          "#!ipxe\n#!ipxe",
		"shell":           "#!ipxe\nshell",
	} {
		if got := asScript(in); got != want {
			t.Errorf("asScript(%q) = %q, want %q", in, got, want)
		}
	}
}

// A machine with a boot file of its own is given its script all the same, and nothing of what it shares with others changes.
func TestScriptLeavesTheReservationAsItIs(t *testing.T) {
	r := machine(func(r *reservation.Reservation) {
		r.Netboot.TFTPServerName, r.Netboot.BootFileName = "192.168.2.1", "own.efi"
	})
	before := *r.Settings
	c, _ := catalog(t, siteOptions(), endpoint(), r)
	if _, err := c.Get("/auto.ipxe", machineAddr); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, *r.Settings) {
		t.Errorf("%+v has become %+v", before, *r.Settings)
	}
}

func TestScriptByAddress(t *testing.T) {
	c, _ := catalog(t, siteOptions(), endpoint(), machine(nil))
	got, err := c.Get("/auto.ipxe", netip.MustParseAddr("::ffff:192.168.2.10"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Machine != machineMAC {
		t.Errorf("the machine is %v", got.Machine)
	}
}

func TestRefusals(t *testing.T) {
	noHTTP, noAddr := endpoint(), endpoint()
	noHTTP.HTTPPort, noAddr.Addr = 0, netip.Addr{}
	notAllowed := machine(func(r *reservation.Reservation) { r.Netboot.Allow = false })
	for name, tc := range map[string]struct {
		options ScriptOptions
		e       boot.Endpoint
		r       *reservation.Reservation
		path    string
		client  netip.Addr
		want    Refusal
		says    string
	}{
		"unknown MAC": {siteOptions(), endpoint(), machine(nil), "/52:54:00:00:00:99/auto.ipxe", machineAddr,
			Refusal{Reason: boot.ReasonNotReserved}, "52:54:00:00:00:99"},
		"unknown address": {siteOptions(), endpoint(), machine(nil), "/auto.ipxe", netip.MustParseAddr("192.168.2.77"),
			Refusal{Reason: boot.ReasonNotReserved}, "192.168.2.77"},
		"not allowed": {siteOptions(), endpoint(), notAllowed, "/auto.ipxe", machineAddr,
			Refusal{Reason: boot.ReasonNetbootNotAllowed, Machine: machineMAC}, "allowPXE"},
		"withheld": {siteOptions(), endpoint(), machine(func(r *reservation.Reservation) { r.Netboot.Withheld = true }), "/auto.ipxe", machineAddr,
			Refusal{Reason: boot.ReasonNetbootWithheld, Machine: machineMAC, Invalid: true}, "see its Events"},
		"no HTTP": {siteOptions(), noHTTP, machine(nil), "/auto.ipxe", machineAddr,
			Refusal{Reason: boot.ReasonHTTPNotServed, Machine: machineMAC}, "HTTP"},
		"no endpoint yet": {siteOptions(), noAddr, machine(nil), "/auto.ipxe", machineAddr,
			Refusal{Reason: boot.ReasonHTTPNotServed, Machine: machineMAC}, "HTTP"},
		"no hook URL": {ScriptOptions{}, endpoint(), machine(nil), "/auto.ipxe", machineAddr,
			Refusal{Reason: ReasonHookURLMissing, Machine: machineMAC}, "osie.baseURL"},
		"no folder of kernels": {siteOptions(), endpoint(), machine(nil), "/hook/vmlinuz-x86_64", machineAddr,
			Refusal{Reason: ReasonNoSuchFile, Machine: machineMAC}, "/hook/vmlinuz-x86_64"},
		"no such file": {siteOptions(), endpoint(), machine(nil), "/snp-riscv64.efi\n\x1b", machineAddr,
			Refusal{Reason: ReasonNoSuchFile, Machine: machineMAC}, `"/snp-riscv64.efi\n\x1b"`},
		"value refused": {siteOptions(), endpoint(), machine(func(r *reservation.Reservation) { r.AgentID = "a\nshell" }),
			"/auto.ipxe", machineAddr, Refusal{Reason: ReasonScriptValueRefused, Machine: machineMAC, Invalid: true}, "spec.agentID"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := catalog(t, tc.options, tc.e, tc.r)
			content, err := c.Get(tc.path, tc.client)
			var got *Refusal
			if !errors.As(err, &got) {
				t.Fatalf("given %q (%v), want a refusal", content.Body, err)
			}
			if got.Reason != tc.want.Reason || got.Machine != tc.want.Machine || got.Invalid != tc.want.Invalid {
				t.Errorf("got %+v, want %+v", *got, tc.want)
			}
			if !strings.Contains(got.Message, tc.says) || strings.ContainsAny(got.Message, "\n\r\x1b") {
				t.Errorf("the message %q is not one line that says %q", got.Message, tc.says)
			}
		})
	}
}

// TestAgreesWithDecide shows that a script is given exactly when boot.Decide tells an iPXE of ours to fetch one.
func TestAgreesWithDecide(t *testing.T) {
	for _, allow := range []bool{true, false} {
		for _, url := range []string{"", "http://files.example/x.ipxe"} {
			for _, port := range []uint16{0, 7171} {
				r := machine(func(r *reservation.Reservation) { r.Netboot.Allow, r.Netboot.IPXEURL = allow, url })
				e := endpoint()
				e.HTTPPort = port
				d := boot.Decide(boot.Client{MAC: machineMAC, Netboot: true, UserClass: boot.UserClassTinkerbell}, r, e)
				c, _ := catalog(t, siteOptions(), e, r)
				content, err := c.Get("/auto.ipxe", machineAddr)
				got := content.Reason
				if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
					got = refusal.Reason
				}
				if (err == nil) != (d.Action == boot.Boot) || got != d.Reason {
					t.Errorf("allow=%v url=%q port=%d: the catalog says %s, Decide %s", allow, url, port, got, d.Reason)
				}
			}
		}
	}
}

// TestEverythingAdvertisedIsServed walks boot.Table and asks for each boot file as its client would.
func TestEverythingAdvertisedIsServed(t *testing.T) {
	for _, scriptPath := range []string{boot.DefaultScriptPath, "/auto.ipxe", "/custom/start.ipxe"} {
		e := endpoint()
		e.ScriptPath = scriptPath
		c, _ := catalog(t, siteOptions(), e, machine(nil))
		e = c.endpoint()
		served := 0
		for _, rule := range boot.Table(e) {
			client := rule.Client
			for _, mac := range []reservation.MAC{{}, machineMAC} {
				client.MAC = mac
				d := boot.Decide(client, machine(nil), e)
				if d.Action != boot.Boot {
					continue
				}
				path := d.BootFile
				for _, base := range []string{"http://192.168.2.112:7171", "tftp://192.168.2.112"} {
					path = strings.TrimPrefix(path, base)
				}
				if _, err := c.Get(path, machineAddr); err != nil {
					t.Errorf("%s is told to fetch %s: %v", rule.Name, d.BootFile, err)
				}
				served++
			}
		}
		if served < 20 {
			t.Errorf("only %d boot files were advertised", served)
		}
	}
}
