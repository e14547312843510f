package dhcpload

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/bench/fleet"
)

// serve answers every packet that comes with what reply makes of it, on loopback, and returns an engine that asks there.
func serve(t *testing.T, reply func(packet []byte) []byte) *Engine {
	t.Helper()
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 2048)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			if answer := reply(buffer[:n]); answer != nil {
				if _, err := server.WriteToUDPAddrPort(answer, from); err != nil {
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	e, err := newEngine(netip.MustParseAddrPort("127.0.0.1:0"), server.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// machineOf finds the machine of a MAC, among the first hundred.
func machineOf(t *testing.T, mac net.HardwareAddr) fleet.Machine {
	for m := range fleet.Machine(100) {
		if m.MAC().String() == mac.String() {
			return m
		}
	}
	t.Errorf("a machine with the MAC %v asked, which is not one of the hundred", mac)
	return 0
}

// answerTo is the right answer, as the library makes it.
func answerTo(t *testing.T, packet []byte, change func(*dhcpv4.DHCPv4)) []byte {
	request, err := dhcpv4.FromBytes(packet)
	if err != nil {
		t.Errorf("the generator sent what is no DHCP packet: %v", err)
		return nil
	}
	kind := dhcpv4.MessageTypeOffer
	if request.MessageType() == dhcpv4.MessageTypeRequest {
		kind = dhcpv4.MessageTypeAck
		if want := machineOf(t, request.ClientHWAddr).Address(); request.RequestedIPAddress().String() != want.String() ||
			request.ServerIdentifier().String() != fleet.Server.String() {
			t.Errorf("a REQUEST asks %v for %v, want %v for %v", request.ServerIdentifier(), request.RequestedIPAddress(), fleet.Server, want)
		}
	}
	reply, err := dhcpv4.NewReplyFromRequest(request, dhcpv4.WithMessageType(kind), dhcpv4.WithServerIP(fleet.Server.AsSlice()),
		dhcpv4.WithYourIP(machineOf(t, request.ClientHWAddr).Address().AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(fleet.Server.AsSlice())), dhcpv4.WithOption(dhcpv4.OptBootFileName(fleet.BootFile)))
	if err != nil {
		t.Error(err)
		return nil
	}
	if change != nil {
		change(reply)
	}
	return reply.ToBytes()
}

var short = Load{Machines: 100, Rate: 500, Duration: 300 * time.Millisecond, Deadline: 150 * time.Millisecond}

func TestLoadEndsEveryExchangeWithARightServer(t *testing.T) {
	e := serve(t, func(packet []byte) []byte { return answerTo(t, packet, nil) })
	for name, l := range map[string]Load{
		"open loop":   short,
		"closed loop": {Machines: 100, Window: 8, Duration: 300 * time.Millisecond, Deadline: 5 * time.Second},
		"burst":       {Machines: 100, Window: 100, Limit: 100, Duration: 5 * time.Second, Deadline: 5 * time.Second, Retry: true},
	} {
		l.Deadline = 5 * time.Second
		o, err := e.Run(l)
		if err != nil {
			t.Fatal(err)
		}
		if o.Started < 50 || o.Finished != o.Started || o.Lost != 0 || o.Wrong != 0 || o.Offers != o.Started || o.FirstTry != o.Started {
			t.Errorf("%s: %+v, want every exchange finished", name, o)
		}
		if l.Limit > 0 && o.Started != l.Limit {
			t.Errorf("%s: %d machines asked, want %d", name, o.Started, l.Limit)
		}
		if o.P50 <= 0 || o.P99 < o.P50 || o.Longest < o.P999 {
			t.Errorf("%s: p50 %v, p99 %v, p99.9 %v, longest %v", name, o.P50, o.P99, o.P999, o.Longest)
		}
	}
}

func TestLoadCountsWrongAnswers(t *testing.T) {
	tests := map[string]struct {
		change func(*dhcpv4.DHCPv4)
		why    string
	}{
		"address":   {func(r *dhcpv4.DHCPv4) { r.YourIPAddr = net.IPv4(10, 64, 99, 99) }, errAddress.Error()},
		"server":    {func(r *dhcpv4.DHCPv4) { r.UpdateOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 64, 0, 9))) }, errServer.Error()},
		"no server": {func(r *dhcpv4.DHCPv4) { delete(r.Options, dhcpv4.OptionServerIdentifier.Code()) }, errServer.Error()},
		"next":      {func(r *dhcpv4.DHCPv4) { r.ServerIPAddr = net.IPv4zero }, errNext.Error()},
		"boot file": {func(r *dhcpv4.DHCPv4) { r.UpdateOption(dhcpv4.OptBootFileName("undionly.kpxe")) }, errBootFile.Error()},
		"MAC":       {func(r *dhcpv4.DHCPv4) { r.ClientHWAddr[5]++ }, errOther.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := serve(t, func(packet []byte) []byte { return answerTo(t, packet, test.change) })
			o, err := e.Run(short)
			if err != nil {
				t.Fatal(err)
			}
			if o.Wrong < 50 || o.Finished != 0 || o.Lost != o.Started || !strings.Contains(o.Why, test.why) {
				t.Errorf("%+v, want wrong answers because %q", o, test.why)
			}
		})
	}
}

func TestLoadCountsLostExchangesAndRepeatsThem(t *testing.T) {
	drop := true
	e := serve(t, func(packet []byte) []byte {
		if drop = !drop; drop {
			return nil
		}
		return answerTo(t, packet, nil)
	})
	o, err := e.Run(short)
	if err != nil {
		t.Fatal(err)
	}
	if o.Lost == 0 || o.Finished+o.Lost != o.Started || o.Repeated != 0 {
		t.Errorf("%+v, want some lost and none repeated", o)
	}
	for tries, want := range []float64{4, 8, 16, 32, 64, 64} {
		if d := backoff(uint8(tries)); d.Seconds() < want-1 || d.Seconds() > want+1 {
			t.Errorf("after %d tries a machine waits %v, want %v s give or take one", tries, d, want)
		}
	}
}

func TestLoadAgainstAnEcho(t *testing.T) {
	e := serve(t, func(packet []byte) []byte { return packet })
	l := short
	l.Echo, l.Deadline = true, 5*time.Second
	o, err := e.Run(l)
	if err != nil {
		t.Fatal(err)
	}
	if o.Started < 50 || o.Finished != o.Started || o.Wrong != 0 {
		t.Errorf("%+v, want every exchange finished", o)
	}
	l.Echo, l.Deadline = false, short.Deadline
	if o, err = e.Run(l); err != nil || o.Wrong == 0 || o.Finished != 0 {
		t.Errorf("%+v (%v): an echo is no DHCP server", o, err)
	}
}

func TestLoadsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Load){
		"no machines":       func(l *Load) { l.Machines = 0 },
		"too many machines": func(l *Load) { l.Machines = fleet.Limit + 1 },
		"no rate":           func(l *Load) { l.Rate = 0 },
		"too many open":     func(l *Load) { l.Rate = 1e7 },
		"no duration":       func(l *Load) { l.Duration = 0 },
		"limit":             func(l *Load) { l.Limit = 101 },
	} {
		l := short
		change(&l)
		if l.Validate() == nil {
			t.Errorf("%s: valid", name)
		}
	}
	if err := short.Validate(); err != nil {
		t.Error(err)
	}
}

func TestQuestionsAreWhatFirmwareSends(t *testing.T) {
	for stage, userClass := range map[Stage]string{Firmware: "", IPXE: "Tinkerbell"} {
		q, err := newQuestion(dhcpv4.MessageTypeRequest, stage)
		if err != nil {
			t.Fatal(err)
		}
		bytes := make([]byte, len(q.bytes))
		q.put(bytes, 0x01020304, fleet.Machine(7).MAC(), 3)
		q.claim(bytes, fleet.Machine(7).Address(), fleet.Server)
		p, err := dhcpv4.FromBytes(bytes)
		if err != nil {
			t.Fatal(err)
		}
		if p.TransactionID != (dhcpv4.TransactionID{1, 2, 3, 4}) || p.NumSeconds != 3 || p.HopCount != 1 ||
			p.GatewayIPAddr.String() != fleet.Client.String() || p.ClientHWAddr.String() != fleet.Machine(7).MAC().String() ||
			p.RequestedIPAddress().String() != "10.64.16.7" || p.ServerIdentifier().String() != fleet.Server.String() ||
			p.ClassIdentifier() != "PXEClient:Arch:00007:UNDI:003016" || string(p.GetOneOption(dhcpv4.OptionUserClassInformation)) != userClass {
			t.Errorf("stage %d: %s", stage, p.Summary())
		}
	}
}
