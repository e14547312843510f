package lint

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
	"github.com/tugboot/tugboot/internal/render/kea"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// wanted is two networks, and in the first of them two machines, one of which has everything.
func wanted() render.Wanted {
	plain := &reservation.Reservation{
		Source: reservation.Source{Name: "a"}, MAC: reservation.MAC{0x52, 0x54, 0, 0, 0, 1}, Address: reservation.MustParsePrefix("192.168.2.11/24"),
		Settings: &reservation.Settings{Lease: reservation.DefaultLease},
	}
	rich := &reservation.Reservation{
		Source: reservation.Source{Name: "b"}, MAC: reservation.MAC{0x52, 0x54, 0, 0, 0, 2}, Address: reservation.MustParsePrefix("192.168.2.12/24"), Hostname: "node-b",
		Settings: &reservation.Settings{Lease: 3600, DomainName: "lab.example", Gateway: netip.MustParseAddr("192.168.2.1"), NameServers: []netip.Addr{netip.MustParseAddr("192.168.2.2"), netip.MustParseAddr("192.168.2.3")}, Routes: []reservation.Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Router: netip.MustParseAddr("192.168.2.9")}}},
	}
	return render.Wanted{
		Word: render.Word{
			Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1764000000, Epoch: 2}},
			Says: takeover.Endpoint{
				Addr: netip.MustParseAddr("192.168.2.112"), TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath,
				BootFiles: "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi",
			},
		},
		Networks: []render.Network{
			{Prefix: netip.MustParsePrefix("192.168.2.0/24"), Reservations: []*reservation.Reservation{plain, rich}},
			{Prefix: netip.MustParsePrefix("192.168.64.0/18")},
		},
	}
}

// What Tugboot renders has no findings, whole or in parts, and with the machines in it.
func TestRenderedIsClean(t *testing.T) {
	for daemon, renderer := range map[Daemon]func(render.Wanted) (render.Output, error){Dnsmasq: dnsmasq.Render, DHCPD: isc.Render, Kea: kea.Render} {
		out, err := renderer(wanted())
		if err != nil {
			t.Fatal(err)
		}
		live := func(name string) (string, error) {
			for _, f := range out.Live {
				if strings.HasSuffix(name, f.Name) {
					return f.Text, nil
				}
			}
			return "", errors.New("is none of the live files")
		}
		operator := out.Operator.Text
		if daemon == DHCPD {
			operator += "subnet 192.168.2.0 netmask 255.255.255.0 { }\n"
		}
		for what, text := range map[string]string{"whole": out.Whole, "operator's file": operator} {
			c := &checker{daemon: daemon}
			switch daemon {
			case Dnsmasq:
				c.dnsmasq(what, text, live)
			case DHCPD:
				c.dhcpd(what, text, live)
			case Kea:
				c.kea(what, text, live)
			}
			if len(c.hosts) != 2 || len(c.boots) < 5 {
				t.Errorf("%s %s: %d machines and %d boot rules are seen", daemon, what, len(c.hosts), len(c.boots))
			}
			if got := show(Check(daemon, what, text, live, Options{DnsmasqVersion: "2.90"})); got != "" {
				t.Errorf("%s %s:\n%s\n%s", daemon, what, got, text)
			}
		}
	}
}
