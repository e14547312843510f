package dhcp4

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/reservation"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden decodes every request of real firmware and clients, and answers each as a server that has the machine's
// address in that capture reserved for it.
func TestGolden(t *testing.T) {
	for _, file := range captureFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".pcap")
		t.Run(name, func(t *testing.T) {
			lookup := reservationsOf(t, file)
			var text strings.Builder
			for _, d := range requests(t, file) {
				fmt.Fprintf(&text, "frame %d\n", d.frame)
				q, err := Parse(d.payload)
				if err != nil {
					t.Fatalf("frame %d: %v", d.frame, err)
				}
				writeRequest(&text, q)
				writeOutcome(t, &text, Answer(q, lookup, testSelf))
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text.String()); diff != "" {
				t.Errorf("run the test with -update if this is what should be said now: -want +got:\n%s", diff)
			}
		})
	}
}

// reservationsOf makes a reservation for every MAC of a capture, with the address it was given there.
func reservationsOf(t testing.TB, file string) Lookup {
	reserved := map[reservation.MAC]*reservation.Reservation{}
	for _, d := range readCapture(t, file) {
		if len(d.payload) < 240 || d.payload[0] != opReply {
			continue
		}
		r := testReservation()
		r.MAC = reservation.MAC(d.payload[28:34])
		r.Address = reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte(d.payload[16:20])), 24))
		r.Gateway = r.Address.Masked().Addr().Next()
		reserved[r.MAC] = r
	}
	if len(reserved) == 0 {
		t.Fatalf("%s holds no replies", file)
	}
	return func(m reservation.MAC) (*reservation.Reservation, bool) { r, ok := reserved[m]; return r, ok }
}

func writeRequest(w *strings.Builder, q *Request) {
	line := func(name string, value any, sent bool) {
		if sent {
			fmt.Fprintf(w, "  %s %v\n", name, value)
		}
	}
	line("request", q.Type, true)
	line("mac", q.MAC, true)
	line("xid", fmt.Sprintf("%#08x", q.XID), true)
	line("flags", fmt.Sprintf("%#04x", q.Flags), true)
	line("ciaddr", q.CIAddr, q.CIAddr.IsValid())
	line("giaddr", q.GIAddr, q.GIAddr.IsValid())
	line("requested address", q.RequestedAddress, q.RequestedAddress.IsValid())
	line("server identifier", q.ServerIdentifier, q.ServerIdentifier.IsValid())
	line("maximum message size", q.MaxMessageSize, q.MaxMessageSize != 0)
	line("parameter list", q.ParameterList, q.ParameterList != nil)
	line("vendor class", fmt.Sprintf("%q", q.VendorClass), len(q.VendorClass) > 0)
	line("client identifier", fmt.Sprintf("%x", q.ClientIdentifier), q.ClientIdentifier != nil)
	line("user class", fmt.Sprintf("%q", q.UserClass), q.UserClass != "")
	line("architectures", q.Archs, len(q.Archs) > 0)
	line("machine identifier", fmt.Sprintf("%x", q.MachineIdentifier), q.MachineIdentifier != nil)
	line("iPXE", fmt.Sprintf("HTTP %v, version %v", q.IPXE.HTTP, q.IPXE.Version), q.IPXE.Version != [3]byte{})
	line("relay agent option", fmt.Sprintf("%x", q.RelayAgent), q.RelayAgent != nil)
	line("netboot client", q.Client().Netboot, true)
}

func writeOutcome(t *testing.T, w *strings.Builder, o Outcome) {
	fmt.Fprintf(w, "  -> %v %s\n", o.Verdict, o.Reason)
	if o.Verdict == Silent {
		return
	}
	p := oracle(t, o)
	fmt.Fprintf(w, "     %d bytes by %v to %v:%d %v\n", len(o.Reply.Packet), o.Reply.Dest.Delivery, o.Reply.Dest.Addr, o.Reply.Dest.Port, o.Reply.Dest.MAC)
	fmt.Fprintf(w, "     flags %#04x ciaddr %v yiaddr %v siaddr %v giaddr %v\n", p.Flags, p.ClientIPAddr, p.YourIPAddr, p.ServerIPAddr, p.GatewayIPAddr)
	fmt.Fprintf(w, "     sname %q file %q\n", p.ServerHostName, p.BootFileName)
	for _, option := range wireOptions(t, o.Reply.Packet) {
		fmt.Fprintf(w, "     option %d %s\n", option.code, readable(option.value))
	}
}

func readable(b []byte) string {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return fmt.Sprintf("%x", b)
		}
	}
	return fmt.Sprintf("%q", b)
}
