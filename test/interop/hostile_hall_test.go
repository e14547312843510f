package interop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/lab"
)

// The hall's network and its relay agent.
const (
	hallNet   = "10.77.0.0/16"
	hallRelay = "10.77.0.1"
)

// hallHardware is n machines with reservations in the hall's network.
func hallHardware(n int) string {
	machines := make([]machine, n)
	for i := range machines {
		machines[i] = machine{name: fmt.Sprintf("hall%d", i), mac: hallMAC(i).String(), address: hallAddr(i), gateway: hallRelay}
	}
	return strings.ReplaceAll(hardware(machines...), "netmask: 255.255.255.0", "netmask: 255.255.0.0")
}

func hallMAC(n int) net.HardwareAddr {
	return net.HardwareAddr{0x52, 0x54, 0x77, 0, byte(n >> 8), byte(n)}
}

func hallAddr(n int) string { return fmt.Sprintf("10.77.%d.%d", 1+n/250, 1+n%250) }

// hall is the relay agent of a hall and the machines behind it: all they send comes from one address.
type hall struct {
	s    *site
	host *lab.Host
	conn *net.UDPConn
	xid  atomic.Uint32

	mu      sync.Mutex
	waiting map[uint32]chan []byte
	answers int
}

// newHall plugs the relay agent in.
func (s *site) newHall() *hall {
	s.t.Helper()
	h := &hall{s: s, host: s.addressed("relay", "52:54:00:aa:00:01", hallRelay+"/16"), waiting: map[uint32]chan []byte{}}
	s.run(h.host.Namespace, "ip", "route", "add", "192.168.2.0/24", "dev", "eth0")
	s.run(s.Server, "ip", "route", "add", hallNet, "dev", lab.ServerInterface)
	h.conn = s.listenUDP(h.host, hallRelay+":67")
	go h.listen()
	if _, err := h.boot(0); err != nil { // the two hosts know each other's MAC from now on
		s.t.Fatal(err)
	}
	return h
}

// listen hands each answer to the machine that waits for it, until the socket is closed.
func (h *hall) listen() {
	b := make([]byte, 2048)
	for {
		n, err := h.conn.Read(b)
		if err != nil {
			return
		}
		if n < 243 {
			continue
		}
		h.mu.Lock()
		h.answers++
		if to := h.waiting[binary.BigEndian.Uint32(b[4:])]; to != nil {
			select {
			case to <- append([]byte(nil), b[:n]...):
			default: // a second answer
			}
		}
		h.mu.Unlock()
	}
}

// answered is how many answers came so far.
func (h *hall) answered() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.answers
}

// patience is how long a machine waits for an answer before it counts as lost.
const patience = 3 * time.Second

var errLost = errors.New("no answer")

// ask sends a request and returns the answer.
func (h *hall) ask(request *dhcpv4.DHCPv4) (*dhcpv4.DHCPv4, error) {
	xid, answer := h.xid.Add(1), make(chan []byte, 1)
	binary.BigEndian.PutUint32(request.TransactionID[:], xid)
	h.mu.Lock()
	h.waiting[xid] = answer
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.waiting, xid)
		h.mu.Unlock()
	}()
	if _, err := h.conn.WriteToUDPAddrPort(request.ToBytes(), netip.MustParseAddrPort(serverAddr+":67")); err != nil {
		return nil, err
	}
	select {
	case b := <-answer:
		return dhcpv4.FromBytes(b)
	case <-time.After(patience):
		return nil, fmt.Errorf("%s of %s: %w", request.MessageType(), request.ClientHWAddr, errLost)
	}
}

// firmware is what x86-64 firmware says of itself.
func firmware(d *dhcpv4.DHCPv4) {
	d.UpdateOption(dhcpv4.OptClassIdentifier("PXEClient:Arch:00007:UNDI:003001"))
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, 7}))
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 3, 1}))
}

// discover is machine n's first request.
func (h *hall) discover(n int) *dhcpv4.DHCPv4 {
	d, err := dhcpv4.NewDiscovery(hallMAC(n), firmware, dhcpv4.WithGatewayIP(net.ParseIP(hallRelay)))
	if err != nil {
		panic(err) // it can only want for randomness
	}
	return d
}

// boot has machine n get its address, and returns how long that took.
func (h *hall) boot(n int) (time.Duration, error) {
	start := time.Now()
	offer, err := h.ask(h.discover(n))
	if err != nil {
		return 0, err
	}
	request, err := dhcpv4.NewRequestFromOffer(offer, firmware, dhcpv4.WithGatewayIP(net.ParseIP(hallRelay)))
	if err != nil {
		return 0, err
	}
	ack, err := h.ask(request)
	if err != nil {
		return 0, err
	}
	if offer.MessageType() != dhcpv4.MessageTypeOffer || ack.MessageType() != dhcpv4.MessageTypeAck || ack.YourIPAddr.String() != hallAddr(n) ||
		ack.ClientHWAddr.String() != hallMAC(n).String() {
		return 0, fmt.Errorf("machine %d was answered %s and %s", n, offer.Summary(), ack.Summary())
	}
	return time.Since(start), nil
}

// power boots machines first to last, one each pause, and returns how long each took. One that is lost fails the test.
func (h *hall) power(first, last int, pause time.Duration) []time.Duration {
	h.s.t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var lost []error
	var machines sync.WaitGroup
	for n := first; n <= last; n++ {
		machines.Go(func() {
			d, err := h.boot(n)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				lost = append(lost, err)
				return
			}
			took = append(took, d)
		})
		time.Sleep(pause)
	}
	machines.Wait()
	if len(lost) > 0 {
		h.s.t.Errorf("%d of %d machines were lost, such as: %v", len(lost), last-first+1, lost[0])
	}
	return took
}
