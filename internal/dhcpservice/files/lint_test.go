package files

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
	"github.com/tugboot/tugboot/internal/reservation"
)

// beside is a driver with the operator's main configuration beside it; LIVE in its text is the folder of the live files.
func beside(t *testing.T, l Language, main, version string) *site {
	t.Helper()
	var path string
	s := newSite(t, l, func(o *Options, script func(string, string) []string) {
		path = filepath.Join(filepath.Dir(o.Folder), "main.conf")
		o.Main, o.Version = path, script("version", "echo "+version)
	})
	put(t, path, strings.ReplaceAll(main, "LIVE", s.folder))
	return s
}

// fixed is the operator's part of dnsmasq's configuration for want, with the folder named LIVE.
func fixed(t *testing.T, want render.Wanted) string {
	t.Helper()
	out, err := dnsmasq.Render(want)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.Operator.Text, dnsmasq.Dir, "LIVE")
}

const operators = "02:00:00:00:00:63,set:lab,10.9.0.99\n"

func TestNothingIsWrittenWhereTheReloadWouldCrash(t *testing.T) {
	main := fixed(t, wanted(2, 2)) + "dhcp-hostsfile=LIVE/operators.hosts\n"
	s := beside(t, Dnsmasq(), main, "Dnsmasq version 2.90  Copyright")
	put(t, filepath.Join(s.folder, "operators.hosts"), operators)
	s.refused(wanted(2, 2), dhcpservice.StageCheck, "operators.hosts:1:1", "set:lab", "2.90", "use dnsmasq 2.91 or later", "[dnsmasq-hosts-set]")

	put(t, filepath.Join(s.folder, "operators.hosts"), "# tugboot-lint: disable=dnsmasq-hosts-set\n"+operators)
	s.apply(wanted(2, 2))

	newer := beside(t, Dnsmasq(), main, "Dnsmasq version 2.91  Copyright")
	put(t, filepath.Join(newer.folder, "operators.hosts"), operators)
	newer.apply(wanted(2, 2))

	silent := beside(t, Dnsmasq(), main, "nothing")
	put(t, filepath.Join(silent.folder, "operators.hosts"), operators)
	silent.apply(wanted(2, 2))
	standing, err := silent.Read(t.Context(), wanted(2, 2))
	if err != nil || standing.Findings.Count != 1 || !strings.Contains(standing.Findings.Lines[0], "version is not known") {
		t.Errorf("%v, %+v", err, standing.Findings)
	}
}

func TestTwoClustersInOneSubnetOfOneDnsmasqAreRefused(t *testing.T) {
	ours, others := wanted(2, 2), wanted(2, 2)
	others.Word.Mark.Cluster = "office"
	for i, r := range others.Networks[0].Reservations {
		moved := *r
		moved.MAC[0], moved.Address = 6, reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, byte(200 + i)}), 24))
		others.Networks[0].Reservations[i] = &moved
	}
	s := beside(t, Dnsmasq(), fixed(t, ours)+fixed(t, others), "Dnsmasq version 2.91")
	s.apply(ours)
	s.refused(others, dhcpservice.StageCheck, "10.9.0.0/24", "cluster lab", "cluster office", "Give each cluster a subnet of its own", "[dnsmasq-two-clusters]")
}

func TestWhatIsReservedForSomebodyElseIsRefused(t *testing.T) {
	const subnet = "subnet 10.9.0.0 netmask 255.255.255.0 { }\n"
	own := func(name, mac, address string) string {
		return "host " + name + " { hardware ethernet " + mac + "; fixed-address " + address + "; }\n"
	}
	include := "include \"LIVE/" + isc.LiveName(wanted(2, 2).Word) + "\";\n"
	for name, c := range map[string]struct {
		main string
		says []string
	}{
		"an address of ours": {subnet + own("printer", "06:00:00:00:00:01", "10.9.0.10") + include, []string{"10.9.0.10", "06:00:00:00:00:01", "[dhcpd-duplicate-address]"}},
		"a machine of ours":  {subnet + own("printer", "02:00:00:00:00:01", "10.9.0.99") + include, []string{"02:00:00:00:00:01", "[dhcpd-duplicate-mac]"}},
	} {
		t.Run(name, func(t *testing.T) {
			beside(t, ISC(), c.main, "").refused(wanted(2, 2), dhcpservice.StageCheck, c.says...)
		})
	}
	t.Run("two of the operator's", func(t *testing.T) {
		s := beside(t, ISC(), subnet+own("a", "06:00:00:00:00:01", "10.9.0.99")+own("b", "06:00:00:00:00:02", "10.9.0.99")+include, "")
		s.apply(wanted(2, 2))
		standing, err := s.Read(t.Context(), wanted(2, 2))
		if err != nil || standing.Findings.Count != 1 || !strings.Contains(standing.Findings.Lines[0], "[dhcpd-duplicate-address]") {
			t.Errorf("%v, %+v", err, standing.Findings)
		}
	})
}

func TestAConfigurationThatCannotBeReadIsAFinding(t *testing.T) {
	s := beside(t, Dnsmasq(), "", "")
	if err := os.Remove(s.options.Main); err != nil {
		t.Fatal(err)
	}
	standing, err := s.Read(t.Context(), wanted(2, 2))
	if err != nil || standing.Findings.Count != 1 || !strings.Contains(standing.Findings.Lines[0], s.options.Main) ||
		!strings.Contains(standing.Findings.Lines[0], "[dnsmasq-include-unreadable]") {
		t.Errorf("%v, %+v", err, standing.Findings)
	}
}
