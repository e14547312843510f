package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
	"golang.org/x/sys/unix"
)

const (
	// askEvery is the pause between two DISCOVERs of a Sampler.
	askEvery = 20 * time.Millisecond
	// orderEvery says of how many offers one is taken up with a REQUEST.
	orderEvery = 10
	// silentAfter is how long a server that answered must not answer to be called silent.
	silentAfter = time.Second
)

// Sampler is a machine that asks for an address every 20 ms, in turn as PXE firmware and as Tinkerbell's iPXE, and takes
// some of the offers up. It accounts for every answer, and fetches, all the time, what the answers tell it to fetch.
type Sampler struct {
	host     *Host
	mac      net.HardwareAddr
	conn     net.PacketConn
	accounts *accounts
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// StartSampler plugs a machine in that has the address addr already and samples until the lab is closed. changed, which
// may be nil and must not block, is called when a server answers with another next-server than before, or with none any
// more.
func (l *Lab) StartSampler(ctx context.Context, mac string, addr netip.Addr, changed func(Change)) (*Sampler, error) {
	host, err := l.AddHost(ctx, "sampler")
	if err != nil {
		return nil, err
	}
	if err := host.PlugIn(ctx, "eth0", mac); err != nil {
		return nil, err
	}
	if err := host.ip(ctx, []string{"address", "add", addr.String() + "/24", "dev", "eth0"}); err != nil {
		return nil, err
	}
	s := &Sampler{host: host}
	if s.mac, err = net.ParseMAC(mac); err != nil {
		return nil, fmt.Errorf("sampler: %w", err)
	}
	listen := net.ListenConfig{Control: toDevice("eth0")}
	if err := host.Do(func() (err error) {
		s.conn, err = listen.ListenPacket(ctx, "udp4", ":68")
		return err
	}); err != nil {
		return nil, fmt.Errorf("sampler: %w", err)
	}
	sampling, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.accounts = newAccounts(changed, func(t *target) { s.running.Go(func() { s.watch(sampling, t) }) })
	s.running.Go(func() { s.ask(sampling) })
	s.running.Go(s.listen)
	l.onClose(func() error {
		stop()
		err := s.conn.Close()
		s.running.Wait()
		return err
	})
	return s, nil
}

// toDevice makes a socket send and receive broadcasts on one interface.
func toDevice(name string) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var set error
		return errors.Join(raw.Control(func(fd uintptr) {
			set = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1), unix.BindToDevice(int(fd), name))
		}), set)
	}
}

// ask sends DISCOVERs until ctx ends.
func (s *Sampler) ask(ctx context.Context) {
	ticks := time.NewTicker(askEvery)
	defer ticks.Stop()
	for n := uint32(0); ; n++ {
		s.send(dhcpv4.New(s.packet(n, dhcpv4.MessageTypeDiscover)...))
		select {
		case <-ctx.Done():
			return
		case now := <-ticks.C:
			s.accounts.quiet(now)
		}
	}
}

// packet is what all packets with the number n have in common: even ones are firmware's, odd ones iPXE's.
func (s *Sampler) packet(n uint32, kind dhcpv4.MessageType) []dhcpv4.Modifier {
	var xid dhcpv4.TransactionID
	binary.BigEndian.PutUint32(xid[:], n)
	m := []dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind), dhcpv4.WithTransactionID(xid), dhcpv4.WithHwAddr(s.mac),
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier("PXEClient:Arch:00000:UNDI:002001")),
		dhcpv4.WithOption(dhcpv4.OptClientArch(iana.INTEL_X86PC)),
		dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 2, 1})),
		dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionClientMachineIdentifier, append([]byte{0}, make([]byte, 16)...))),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionTFTPServerName, dhcpv4.OptionBootfileName),
	}
	if asIPXE(n) {
		m = append(m, dhcpv4.WithUserClass("Tinkerbell", false))
	}
	return m
}

func asIPXE(n uint32) bool { return n%2 == 1 }

// send broadcasts a packet. What cannot be sent is missed by no server, and the silence shows.
func (s *Sampler) send(packet *dhcpv4.DHCPv4, err error) {
	if err == nil {
		_, err = s.conn.WriteTo(packet.ToBytes(), &net.UDPAddr{IP: net.IPv4bcast, Port: 67})
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		s.accounts.fail(fmt.Errorf("sampler: send: %w", err))
	}
}

// listen takes in answers until the socket is closed.
func (s *Sampler) listen() {
	buffer := make([]byte, 2048)
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
		a, err := read(packet, from, number, now)
		if err != nil {
			s.accounts.fail(err)
			continue
		}
		s.accounts.add(a)
		if packet.MessageType() == dhcpv4.MessageTypeOffer && number/2%orderEvery == 0 {
			s.send(dhcpv4.NewRequestFromOffer(packet, s.packet(number, dhcpv4.MessageTypeRequest)...))
		}
	}
}

// answer is what one answer says.
type answer struct {
	at                 time.Time
	server, nextServer netip.Addr
	ipxe, nak          bool
	bootFile           string
}

// read reads an answer. Its server is who sent it: the server identifier may be that of another server, which the machine
// chose. One without an identifier is an error.
func read(packet *dhcpv4.DHCPv4, from net.Addr, number uint32, at time.Time) (answer, error) {
	a := answer{at: at, ipxe: asIPXE(number), nak: packet.MessageType() == dhcpv4.MessageTypeNak, bootFile: packet.BootFileName}
	sender, err := netip.ParseAddrPort(from.String())
	if err != nil || packet.ServerIdentifier() == nil {
		return a, fmt.Errorf("an answer from %s without a server identifier: %s", from, packet.Summary())
	}
	a.server = sender.Addr().Unmap()
	if next, ok := netip.AddrFromSlice(packet.ServerIPAddr.To4()); ok && !next.IsUnspecified() {
		a.nextServer = next
	}
	if a.bootFile == "" {
		a.bootFile = packet.BootFileNameOption()
	}
	return a, nil
}

// fetches is what the machine would fetch next, as a URL; empty when it is given nothing to boot.
func (a answer) fetches() string {
	if a.bootFile == "" || strings.Contains(a.bootFile, "://") {
		return a.bootFile
	}
	return "tftp://" + a.nextServer.String() + "/" + a.bootFile
}
