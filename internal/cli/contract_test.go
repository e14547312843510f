package cli

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/ipxe"
	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/server/httpd"
	"github.com/tugboot/tugboot/internal/server/tftpd"
)

// binaries are those for every family that there can be one for, under the names of a distribution or a user.
var binaries = []string{
	"undionly.kpxe", "ipxe.efi", "snponly.efi", "ipxe-arm64.efi", "ipxe-i386.efi", "ipxe-arm32.efi", "ipxe-riscv64.efi",
	"shimx64.efi", "grubx64.efi",
}

// stand is a running TFTP and HTTP server with one machine, which asks from this address.
type stand struct {
	endpoint boot.Endpoint
	machine  *reservation.Reservation
	tftp     netip.AddrPort
}

func newStand(t *testing.T, o ipxe.LibraryOptions) *stand {
	t.Helper()
	dir := t.TempDir()
	for _, name := range binaries {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("binary "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	library, err := ipxe.Load(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{machine: &reservation.Reservation{
		MAC: reservation.MAC{0x52, 0x54, 0, 0, 2, 1}, Address: reservation.MustParsePrefix("127.0.0.1/8"),
		Settings: &reservation.Settings{Lease: reservation.DefaultLease, Netboot: reservation.Netboot{Allow: true}},
	}}
	snapshot := inventory.New([]*reservation.Reservation{s.machine})
	catalog, err := ipxe.NewCatalog(library, func() *inventory.Snapshot { return snapshot }, func() boot.Endpoint { return s.endpoint },
		ipxe.ScriptOptions{HookURL: "http://127.0.0.1/hook"}, func(p reservation.Problem) { t.Error(p) })
	if err != nil {
		t.Fatal(err)
	}
	free := netip.MustParseAddrPort("127.0.0.1:0")
	h, err := httpd.New(httpd.Config{Addresses: []netip.AddrPort{free}}, catalog, journal.New(1, 1), prometheus.NewRegistry(), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	f, err := tftpd.New(tftpd.Config{
		Listen: []netip.AddrPort{free}, Source: catalog, Journal: journal.New(1, 1), Metrics: prometheus.NewRegistry(), Log: logr.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	startServer(t, h)
	startServer(t, f)
	s.tftp = f.Addrs()[0]
	s.endpoint = boot.Endpoint{
		Addr: s.tftp.Addr(), TFTPPort: s.tftp.Port(), HTTPPort: h.Addrs()[0].Port(), ScriptPath: boot.DefaultScriptPath,
		Binaries: library.Binaries(), UserClass: "acme",
	}
	return s
}

// startServer starts a server, and stops it when the test ends.
func startServer(t *testing.T, s server) {
	t.Helper()
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestEverythingAdvertisedIsServed walks every kind of client there is through the wire: it sends what such a client
// sends, reads the boot file and next-server out of the answer's bytes, and fetches it as the client would.
func TestEverythingAdvertisedIsServed(t *testing.T) {
	for name, o := range map[string]ipxe.LibraryOptions{
		"usual": {}, "shim": {BootFiles: map[boot.Family]string{boot.FamilyX64: "shimx64.efi", boot.FamilyARM64: "ipxe-arm64.efi"}},
	} {
		t.Run(name, func(t *testing.T) { servesWhatItAdvertises(t, newStand(t, o)) })
	}
}

func servesWhatItAdvertises(t *testing.T, s *stand) {
	t.Helper()
	advertised := 0
	for _, rule := range boot.Table(s.endpoint) {
		archs := rule.Archs
		if archs == nil {
			archs = []boot.Arch{boot.ArchBIOS, boot.ArchX64, boot.ArchARM64}
		}
		for _, arch := range archs {
			t.Run(fmt.Sprintf("%s/%d", rule.Name, arch), func(t *testing.T) {
				client := rule.Client
				client.Arch, client.MAC = arch, s.machine.MAC
				answer := s.ask(t, client)
				want := boot.Decide(client, s.machine, s.endpoint)
				if answer.file != want.BootFile || want.Action == boot.Boot && answer.nextServer != s.endpoint.Addr {
					t.Fatalf("the wire says %q at %v, boot.Decide %q at %v", answer.file, answer.nextServer, want.BootFile, want.NextServer)
				}
				if want.Action != rule.Decision.Action || want.Reason != rule.Decision.Reason {
					t.Fatalf("the table says %v, boot.Decide %v", rule.Decision, want)
				}
				if want.Action == boot.AddressOnly {
					return
				}
				advertised++
				s.fetch(t, answer.file)
				s.fetch(t, rule.Decision.BootFile)
			})
		}
	}
	if advertised < 30 {
		t.Errorf("only %d kinds of clients were advertised a file: the table or this test lost some", advertised)
	}
}

// answer is what a client reads out of an OFFER.
type answer struct {
	file       string
	nextServer netip.Addr
}

// ask sends a DISCOVER of such a client and returns what the OFFER says.
func (s *stand) ask(t *testing.T, c boot.Client) answer {
	t.Helper()
	request, err := dhcpv4.NewDiscovery(c.MAC[:])
	if err != nil {
		t.Fatal(err)
	}
	request.UpdateOption(dhcpv4.OptClassIdentifier(c.VendorClass.String() + ":Arch:00000:UNDI:003016"))
	request.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, binary.BigEndian.AppendUint16(nil, uint16(c.Arch))))
	request.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 3, 16}))
	if c.UserClass != "" {
		request.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionUserClassInformation, []byte(c.UserClass)))
	}
	if c.IPXE.HTTP {
		request.UpdateOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(175), append([]byte{19, 1, 1, 235, 3}, c.IPXE.Version[:]...)))
	}
	q, err := dhcp4.Parse(request.ToBytes())
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(reservation.MAC) (*reservation.Reservation, bool) { return s.machine, true }
	o := dhcp4.Answer(q, lookup, &dhcp4.Self{Servers: dhcp4.Servers{ID: s.endpoint.Addr}, Endpoint: s.endpoint})
	reply, err := dhcpv4.FromBytes(o.Reply.Packet)
	if err != nil {
		t.Fatalf("%v (%s): %v", o.Verdict, o.Reason, err)
	}
	next, _ := netip.AddrFromSlice(reply.ServerIPAddr.To4())
	return answer{file: reply.BootFileName, nextServer: next}
}

// fetch gets what a boot file names, by the protocol that it names.
func (s *stand) fetch(t *testing.T, file string) {
	t.Helper()
	u, err := url.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	var body string
	switch u.Scheme {
	case "http":
		response, err := http.Get(file)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %s %v %s", file, response.Status, err, text)
		}
		body = string(text)
	case "tftp":
		body = s.tftpGet(t, u.Host, strings.TrimPrefix(u.Path, "/"))
	default:
		body = s.tftpGet(t, s.tftp.String(), file)
	}
	if !strings.HasPrefix(body, "binary ") && !strings.HasPrefix(body, "#!ipxe\n") {
		t.Errorf("%s is neither a binary nor a script: %.60q", file, body)
	}
}

// tftpGet reads a file shorter than one block (RFC 1350).
func (s *stand) tftpGet(t *testing.T, server, name string) string {
	t.Helper()
	conn, err := net.Dial("udp", server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("\x00\x01" + name + "\x00octet\x00")); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 600)
	n, err := conn.Read(packet)
	if err != nil || n < 4 || n >= 4+512 || string(packet[:4]) != "\x00\x03\x00\x01" {
		t.Fatalf("TFTP read of %q: %q, %v", name, packet[:n], err)
	}
	if _, err := conn.Write([]byte{0, 4, 0, 1}); err != nil {
		t.Fatal(err)
	}
	return string(packet[4:n])
}
