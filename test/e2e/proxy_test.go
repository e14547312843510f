package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
	"github.com/tugboot/tugboot/test/need"
)

// The DHCP server that gives the addresses, and those that it gives: none of them is reserved by any Hardware.
var (
	givesAddr = netip.MustParseAddr("192.168.2.5")
	givesPool = netip.MustParsePrefix("192.168.2.200/29")
)

const givesKea = `"subnet4": [{"id": 1, "subnet": "192.168.2.0/24", "pools": [{"pool": "192.168.2.200-192.168.2.207"}],
"option-data": [{"name": "routers", "data": "192.168.2.1"}]}]`

const givesDnsmasq = "dhcp-range=192.168.2.200,192.168.2.207,255.255.255.0,10m\ndhcp-option=option:router,192.168.2.1\ndhcp-authoritative\nno-ping\n"

// unknownSays is what the built-in script says on the screen of a machine that nobody knows.
var unknownSays = regexp.MustCompile(`Tugboot: no Hardware has the MAC of this machine, ([0-9a-f:]{17})`)

// proxySite is a LAN on which an existing DHCP server gives addresses and knows nothing else, and Tugboot the rest.
func proxySite(t *testing.T, name string, d lab.Daemon, config func(*lab.Foreign) string, mode string) *lab.Site {
	t.Helper()
	needSite(t)
	parts, err := siteParts()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	l, err := lab.New(ctx, "e2e-"+name, folder+"-"+name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	l.PXEROM = filepath.Join(parts.IPXE, "ipxe.lkrn")
	host, err := l.AddHost(ctx, "gives")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	must(host.PlugIn(ctx, "eth0", "52:54:00:00:04:05"))
	_, err = host.Run(ctx, nil, "ip", "address", "add", givesAddr.String()+"/24", "dev", "eth0")
	must(err)
	f, err := lab.NewForeign(ctx, host, d, "gives", "eth0", filepath.Join(l.Dir, "dhcp"))
	must(err)
	must(f.Configure(config(f)))
	must(f.Start(ctx))
	s := &lab.Site{Lab: l}
	s.Files, err = l.ServeFiles(parts.OS, nil)
	must(err)
	s.Tugboot, err = l.StartTugboot(ctx, "tugboot", lab.TugbootArgs(parts.Tugboot, parts.IPXE, s.Files.URL,
		"--hardware="+parts.Hardware, "--dhcp="+mode, "--log-level=debug"))
	must(err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of Tugboot's log:\n%s\nthe end of the DHCP server's:\n%s", lab.Tail(s.Tugboot.Log, 30), lab.Tail(f.Log(), 15))
		}
	})
	return s
}

// TestMachineBootsThroughProxy: machines boot from Tugboot with addresses that somebody else's dnsmasq or Kea gave them.
func TestMachineBootsThroughProxy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode   string
		kind   lab.DaemonKind
		config func(*lab.Foreign) string
		boots  map[lab.Kind]known
	}{
		{"auto-proxy", lab.Dnsmasq, func(*lab.Foreign) string { return givesDnsmasq }, map[lab.Kind]known{
			lab.BIOS: {mac: "52:54:00:00:02:01"}, lab.UEFI: {mac: "52:54:00:00:02:02"}, lab.UEFIHTTP: {mac: "52:54:00:00:02:03"}}},
		{"proxy", lab.Kea, func(f *lab.Foreign) string { return f.KeaOperator(givesKea) }, map[lab.Kind]known{
			lab.UEFI: {mac: "52:54:00:00:02:02"}}},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			s := proxySite(t, c.mode, daemonOf(t, c.kind), c.config, c.mode)
			t.Run("machines", func(t *testing.T) {
				for kind, who := range c.boots {
					t.Run(string(kind), func(t *testing.T) {
						t.Parallel()
						bootsThroughProxy(t, s, kind, who.mac, c.mode)
					})
				}
				if c.mode == "auto-proxy" {
					t.Run("unknown", func(t *testing.T) {
						t.Parallel()
						isToldThatNobodyKnowsIt(t, s, lab.UEFI, "52:54:00:00:04:02")
					})
				}
			})
		})
	}
}

// proxySteps are Tugboot's answers in the order in which they must come. What is fetched without a MAC in its path cannot be
// told to be the machine's: its address is not the Hardware's.
var proxySteps = map[lab.Kind][]string{
	lab.BIOS:     {"dhcp StockIPXEScript", "script Script"},
	lab.UEFI:     {"dhcp FirmwareBinary", "dhcp Script", "script Script"},
	lab.UEFIHTTP: {"dhcp HTTPBinary", "http Binary", "dhcp Script", "script Script"},
}

func bootsThroughProxy(t *testing.T, s *lab.Site, kind lab.Kind, mac, mode string) {
	m := powerOn(t, s, kind, mac, nil)
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	marker, at, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s is up %.1f s after power-on: %s", kind, at.Sub(m.PowerOn).Seconds(), marker)
	addr := addressIn(marker)
	if !strings.Contains(marker, "mac="+mac+" ") || !givesPool.Contains(addr) || !strings.Contains(marker, "syslog="+lab.ServerAddr.String()+" ") {
		t.Errorf("the init says %q, want the MAC, an address of %s, and Tugboot for its syslog", marker, givesPool)
	}
	told := events(t, s, m, addr, func(e lab.Event) bool { return e.Stage == lab.StageInit })
	checkSteps(t, m, told, proxySteps[kind])
	checkKernel(t, m, told, "x86_64")
	for _, e := range told {
		if e.Stage == "dhcp" && (strings.Contains(e.What, "192.168.2.") && !strings.Contains(e.What, "http://") && !strings.Contains(e.What, "silent") ||
			!strings.HasSuffix(e.What, " ("+mode+")")) {
			t.Errorf("a proxy's answer is %q: want no address in it, and the mode", e.What)
		}
		if e.Reason == "NotNetbootClient" && !strings.Contains(e.What, "silent") {
			t.Errorf("the installer's own DHCP client heard %q, want silence", e.What)
		}
	}
}

// single is a line that UEFI firmware printed on both of the machine's serial ports, character by character, as one.
func single(line string) string {
	once := make([]byte, 0, len(line)/2)
	for i := 0; i+1 < len(line); i += 2 {
		if line[i] != line[i+1] {
			return line
		}
		once = append(once, line[i])
	}
	return string(once)
}

// addressIn is the machine's address, as its first program says it.
func addressIn(marker string) netip.Addr {
	_, rest, _ := strings.Cut(marker, " ip=")
	text, _, _ := strings.Cut(rest, " ")
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// isToldThatNobodyKnowsIt boots a machine without Hardware: it runs the script for such machines and goes on.
func isToldThatNobodyKnowsIt(t *testing.T, s *lab.Site, kind lab.Kind, mac string) {
	said := make(chan string, 1)
	m := powerOn(t, s, kind, mac, func(line string) {
		if found := unknownSays.FindStringSubmatch(single(line)); found != nil {
			select {
			case said <- found[1]:
			default:
			}
		}
	})
	select {
	case got := <-said:
		t.Logf("%s says so %.1f s after power-on", kind, time.Since(m.PowerOn).Seconds())
		if got != mac {
			t.Errorf("the screen says %s, want %s", got, mac)
		}
	case <-time.After(bootLimit):
		console, err := os.ReadFile(m.Serial)
		t.Fatalf("the machine did not say that nobody knows it; its console: %v\n%.3000q", err, console)
	}
	told := events(t, s, m, netip.Addr{}, func(e lab.Event) bool { return e.Reason == "AutoScript" && e.Stage == "script" })
	checkSteps(t, m, told, []string{"dhcp AutoBinary", "dhcp AutoScript", "script AutoScript"})
	if !strings.Contains(fmt.Sprint(told), "no Hardware") {
		t.Errorf("the timeline does not say that there is no Hardware:\n%s", story(m, told))
	}
}

// pointsToBootServer is a Kea that says PXEClient itself and names Tugboot as next-server, as sites do that send machines to a
// boot server which does not hear their broadcasts. UEFI firmware then asks that server at port 4011.
const pointsToBootServer = `"subnet4": [{"id": 1, "subnet": "192.168.2.0/24", "pools": [{"pool": "192.168.2.200-192.168.2.207"}],
"next-server": "192.168.2.112", "option-data": [{"name": "vendor-class-identifier", "data": "PXEClient", "always-send": true}]}]`

// deaf keeps broadcasts to port 67 from Tugboot.
const deaf = "add table ip e2e; add chain ip e2e in { type filter hook input priority 0; }; add rule ip e2e in udp dport 67 ip daddr 255.255.255.255 drop"

// TestFirmwareAsksAtPort4011: OVMF is told by the DHCP server to ask Tugboot, which has not heard its broadcast, for a boot file.
func TestFirmwareAsksAtPort4011(t *testing.T) {
	t.Parallel()
	need.Program(t, "nft", "nftables")
	s := proxySite(t, "port4011", daemonOf(t, lab.Kea), func(f *lab.Foreign) string { return f.KeaOperator(pointsToBootServer) }, "proxy")
	if _, err := s.Server.Run(t.Context(), nil, "nft", deaf); err != nil {
		t.Fatal(err)
	}
	const mac = "52:54:00:00:02:02"
	m := powerOn(t, s, lab.UEFI, mac, nil)
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	wait(ctx, t, "the firmware is answered at port 4011", func() bool {
		entries, err := s.Tugboot.Timeline(ctx, mac, m.PowerOn)
		return err == nil && len(entries) > 0
	})
	if _, err := s.Server.Run(ctx, nil, "nft", "delete table ip e2e"); err != nil { // iPXE asks as everybody does
		t.Fatal(err)
	}
	marker, at, err := m.WaitUp(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("up %.1f s after power-on: %s", at.Sub(m.PowerOn).Seconds(), marker)
	told := events(t, s, m, addressIn(marker), func(e lab.Event) bool { return e.Stage == lab.StageInit })
	if first := told[1]; first.What != "REQUEST -> ACK ipxe.efi (proxy, port 4011)" || first.Reason != "FirmwareBinary" {
		t.Errorf("the first answer is %q %s, want the boot file at port 4011; the timeline:\n%s", first.What, first.Reason, story(m, told))
	}
	checkSteps(t, m, told, []string{"dhcp FirmwareBinary", "dhcp Script", "script Script"})
}
