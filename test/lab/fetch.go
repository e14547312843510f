package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tugboot/tugboot/internal/tftp"
)

const (
	// lookEvery is the pause between two looks at one target, lookLimit how long one may take.
	lookEvery = 100 * time.Millisecond
	lookLimit = time.Second
	// repeatEvery is how often a TFTP request is repeated that has no answer.
	repeatEvery = 200 * time.Millisecond
)

// watch looks at a target until ctx ends.
func (s *Sampler) watch(ctx context.Context, t *target) {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for {
		s.accounts.looking(t)
		err := s.host.Fetch(ctx, t.url)
		if ctx.Err() != nil {
			return
		}
		s.accounts.saw(t, err == nil)
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// Fetch fetches from inside the namespace what a machine is told to boot: by TFTP the first block, by HTTP an answer of
// status 200 with a body.
func (n *Namespace) Fetch(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	switch u.Scheme {
	case "tftp":
		return n.firstBlock(ctx, u)
	case "http":
		text, err := get(ctx, n, address)
		if err == nil && len(text) == 0 {
			err = fmt.Errorf("%s: empty", address)
		}
		return err
	}
	return fmt.Errorf("%s: neither tftp nor http", address)
}

// firstBlock has the first block of a file, and tells the server that it wants no more.
func (n *Namespace) firstBlock(ctx context.Context, u *url.URL) (err error) {
	server, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return fmt.Errorf("%s: %w", u, err)
	}
	var conn *net.UDPConn
	if err := n.Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", nil)
		return err
	}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })() // it fails on a closed socket only, which ends the read, too
	request := tftp.Packet{Op: tftp.OpRRQ, Name: strings.TrimPrefix(u.Path, "/"), Mode: "octet"}.AppendTo(nil)
	buffer := make([]byte, 1024)
	for {
		if _, err := conn.WriteToUDPAddrPort(request, netip.AddrPortFrom(server, 69)); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(repeatEvery)); err != nil {
			return err
		}
		size, from, err := conn.ReadFromUDPAddrPort(buffer)
		if ctx.Err() != nil {
			return fmt.Errorf("%s: no answer: %w", u, ctx.Err())
		}
		if err != nil || from.Addr().Unmap() != server {
			continue
		}
		packet, err := tftp.Parse(buffer[:size])
		if err != nil {
			return fmt.Errorf("%s: %w", u, err)
		}
		if packet.Op != tftp.OpDATA || packet.Block != 1 || len(packet.Payload) == 0 {
			return fmt.Errorf("%s: opcode %d, %q where a first block was to come", u, packet.Op, packet.Message)
		}
		_, err = conn.WriteToUDPAddrPort(tftp.ErrorPacket(tftp.CodeUndefined, "that is all"), from)
		return err
	}
}
