package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// AddAddress gives the station one more IPv4 address of the LAN, such as a virtual address that moves between stations,
// and announces it, so that neighbours that knew it elsewhere send to this station from now on.
func (s *Station) AddAddress(ctx context.Context, addr netip.Addr) error {
	if err := s.ip(ctx, []string{"address", "add", addr.String() + "/32", "dev", s.Interface}); err != nil {
		return err
	}
	if err := s.Do(func() error { return announce(s.Interface, addr) }); err != nil {
		return fmt.Errorf("announce %s on %s: %w", addr, s.Interface, err)
	}
	return nil
}

// RemoveAddress takes away what AddAddress gave.
func (s *Station) RemoveAddress(ctx context.Context, addr netip.Addr) error {
	return s.ip(ctx, []string{"address", "delete", addr.String() + "/32", "dev", s.Interface})
}

// announce sends an ARP announcement (RFC 5227, 2.3) from the namespace of the calling thread.
func announce(name string, addr netip.Addr) error {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	protocol := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ARP >> 8, unix.ETH_P_ARP & 0xff})
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(protocol))
	if err != nil {
		return err
	}
	ip := addr.As4()
	packet := []byte{0, 1, 8, 0, 6, 4, 0, 1} // a request, Ethernet and IPv4
	packet = append(packet, device.HardwareAddr...)
	packet = append(packet, ip[:]...)
	packet = append(packet, 0, 0, 0, 0, 0, 0)
	packet = append(packet, ip[:]...)
	everybody := &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: device.Index, Halen: 6, Addr: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	return errors.Join(unix.Sendto(socket, packet, 0, everybody), unix.Close(socket))
}
