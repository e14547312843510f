package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Asker is a machine that asks for an address every 20 ms, in turn as PXE firmware and as Tinkerbell's iPXE, takes some of
// the offers up, and remembers every answer. Unlike a Sampler it fetches nothing, and knows to the millisecond for how
// long nobody answered.
type Asker struct {
	sampler *Sampler
	stop    func() error

	mu      sync.Mutex
	answers []Heard
}

// Heard is one answer that an Asker got.
type Heard struct {
	At time.Time
	// IPXE is how the machine asked.
	IPXE bool
	// Says is what the answer tells the machine: address, next-server and boot file.
	Says string
}

// maxHeard bounds what an Asker remembers: more than ten minutes of answers.
const maxHeard = 50_000

// StartAsker plugs a machine in that has the address addr, such as 10.9.0.5/16, already, and asks until Stop is called or
// the lab is closed.
func (l *Lab) StartAsker(ctx context.Context, mac string, addr netip.Prefix) (*Asker, error) {
	host, err := l.AddHost(ctx, "asker")
	if err != nil {
		return nil, err
	}
	if err := host.PlugIn(ctx, "eth0", mac); err != nil {
		return nil, err
	}
	if err := host.ip(ctx, []string{"address", "add", addr.String(), "dev", "eth0"}); err != nil {
		return nil, err
	}
	a := &Asker{sampler: &Sampler{host: host, accounts: newAccounts(nil, nil)}}
	if a.sampler.mac, err = net.ParseMAC(mac); err != nil {
		return nil, fmt.Errorf("asker: %w", err)
	}
	listen := net.ListenConfig{Control: toDevice("eth0")}
	if err := host.Do(func() (err error) {
		a.sampler.conn, err = listen.ListenPacket(ctx, "udp4", ":68")
		return err
	}); err != nil {
		return nil, fmt.Errorf("asker: %w", err)
	}
	asking, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { a.sampler.ask(asking) })
	running.Go(a.listen)
	a.stop = sync.OnceValue(func() error {
		cancel()
		err := a.sampler.conn.Close()
		running.Wait()
		return err
	})
	l.onClose(a.stop)
	return a, nil
}

// Stop ends the asking. It may be called more than once.
func (a *Asker) Stop() error { return a.stop() }

// listen remembers answers until the socket is closed.
func (a *Asker) listen() {
	s, buffer := a.sampler, make([]byte, 2048)
	for {
		n, from, err := s.conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		now := time.Now()
		packet, err := dhcpv4.FromBytes(slices.Clone(buffer[:n]))
		if err != nil || packet.OpCode != dhcpv4.OpcodeBootReply || packet.ClientHWAddr.String() != s.mac.String() {
			continue
		}
		number := binary.BigEndian.Uint32(packet.TransactionID[:])
		got, err := read(packet, from, number, now)
		a.hear(got, packet, err)
		if err == nil && packet.MessageType() == dhcpv4.MessageTypeOffer && number/2%orderEvery == 0 {
			s.send(dhcpv4.NewRequestFromOffer(packet, s.packet(number, dhcpv4.MessageTypeRequest)...))
		}
	}
}

func (a *Asker) hear(got answer, packet *dhcpv4.DHCPv4, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil:
		a.sampler.accounts.fail(err)
	case got.nak:
		a.sampler.accounts.fail(fmt.Errorf("%s: a NAK from %s", got.at.Format(clock), got.server))
	case len(a.answers) == maxHeard:
		a.sampler.accounts.fail(errors.New("asker: too many answers to be remembered"))
	default:
		a.answers = append(a.answers, Heard{At: got.at, IPXE: got.ipxe, Says: fmt.Sprintf("%s next-server=%s file=%s", packet.YourIPAddr, got.nextServer, got.bootFile)})
	}
}

// Heard returns the answers since a moment, in the order in which they came.
func (a *Asker) Heard(since time.Time) []Heard {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, _ := slices.BinarySearchFunc(a.answers, since, func(h Heard, at time.Time) int { return h.At.Compare(at) })
	return slices.Clone(a.answers[i:])
}

// Problems returns what was seen that must not happen: refusals, garbled answers, questions that could not be sent.
func (a *Asker) Problems() []error { return a.sampler.Problems() }

// LongestSilence returns the longest time between two of the answers.
func LongestSilence(answers []Heard) time.Duration {
	var longest time.Duration
	for i := 1; i < len(answers); i++ {
		longest = max(longest, answers[i].At.Sub(answers[i-1].At))
	}
	return longest
}
