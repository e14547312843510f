package offers

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

// served is what a service that was told e answers to d; its reservations are those of network.
func served(t *testing.T, e boot.Endpoint, d *dhcpv4.DHCPv4) reply {
	features := dhcpv4.Options{}
	if err := features.FromBytes(d.Options[optIPXE]); err != nil {
		t.Error(err)
	}
	c := boot.Client{
		Netboot: true, Arch: boot.Arch(d.Options[optArch][1]), VendorClass: boot.VendorPXEClient, UserClass: string(d.Options[optUserClass]),
		IPXE: boot.IPXEInfo{HTTP: features[ipxeHTTP] != nil, Version: versionIPXE},
	}
	if strings.HasPrefix(d.ClassIdentifier(), "HTTPClient") {
		c.VendorClass = boot.VendorHTTPClient
	}
	decision := boot.Decide(c, allowed, e)
	with := []dhcpv4.Modifier{
		dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer), dhcpv4.WithYourIP(net.IP(d.ClientHWAddr[2:])), dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server.AsSlice())),
	}
	if decision.Action == boot.Boot {
		with = append(with, dhcpv4.WithServerIP(decision.NextServer.AsSlice()), dhcpv4.WithOption(dhcpv4.OptBootFileName(decision.BootFile)))
	}
	if decision.VendorClass != boot.VendorOther {
		with = append(with, dhcpv4.WithOption(dhcpv4.OptClassIdentifier(decision.VendorClass.String())))
	}
	o, err := dhcpv4.NewReplyFromRequest(d, with...)
	if err != nil {
		t.Error(err)
		return reply{}
	}
	return reply{o.ToBytes(), server}
}

// A service that says what it was told verifies within seconds, with as many machines as are ever asked for; one
// that still says the endpoint before does not.
func TestVerifier(t *testing.T) {
	l := newLab(t)
	l.address("192.168.2.9/24")
	want := render.Wanted{Networks: []render.Network{network("172.16.0.0/24", 2)}} // out of reach, and not served
	for _, p := range []string{"10.0.0.", "10.0.1.", "10.0.2.", "10.0.3.", "10.0.4."} {
		l.address(p + "254/24")
		want.Networks = append(want.Networks, network(p+"0/24", 100))
	}
	want.Word.Says = takeover.Endpoint{
		Addr: netip.MustParseAddr("192.168.2.112"), TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath,
		BootFiles: "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi",
	}
	l.onServer(func() {
		broadcastRoute(t, "srv0")
		l.serve(func(d *dhcpv4.DHCPv4) reply {
			if d.ClientHWAddr[2] != 10 {
				t.Errorf("%s was asked for", d.ClientHWAddr)
			}
			return served(t, endpoint, d)
		})
	})
	verify := Verifier(Options{Interface: "cli0"})
	began := time.Now()
	if err := verify(t.Context(), want); err != nil || time.Since(began) > 8*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	want.Word.Says.Addr = netip.MustParseAddr("192.168.2.113")
	err := verify(t.Context(), want)
	if err == nil || !strings.Contains(err.Error(), `next-server by 192.168.2.10: got "192.168.2.112", want "192.168.2.113"`) &&
		!strings.Contains(err.Error(), `want "http://192.168.2.113:7171/ipxe/script/auto.ipxe"`) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the endpoint before: %v", err)
	}
}
