package interop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

var tftpPort = netip.MustParseAddrPort(serverAddr + ":69")

// readFile reads a file as a small TFTP client does, 1,024 bytes a block, and asks again when nothing comes.
func readFile(conn *net.UDPConn, name string) ([]byte, error) {
	request := append([]byte{0, 1}, name+"\x00octet\x00blksize\x001024\x00"...)
	send, block := request, uint16(0)
	var file []byte
	b := make([]byte, 2048)
	for tries := 0; ; {
		if _, err := conn.WriteToUDPAddrPort(send, tftpPort); err != nil {
			return nil, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return nil, err
		}
		n, err := conn.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && tries < 3:
			tries++
			continue
		case err != nil:
			return nil, fmt.Errorf("%s after %d bytes: %w", name, len(file), err)
		case n < 4 || binary.BigEndian.Uint16(b) == 5:
			return nil, fmt.Errorf("%s after %d bytes: %q", name, len(file), b[:n])
		case binary.BigEndian.Uint16(b) == 6: // the options are granted
		case binary.BigEndian.Uint16(b[2:]) == block+1:
			block++
			file = append(file, b[4:n]...)
		}
		send = binary.BigEndian.AppendUint16([]byte{0, 4}, block)
		if binary.BigEndian.Uint16(b) == 3 && n < 4+1024 {
			_, err := conn.WriteToUDPAddrPort(send, tftpPort)
			return file, err
		}
	}
}

// readers has well-behaved machine n read the binary for BIOS, each time from another port, until stop is closed.
func (s *site) readers(h *lab.Host, stop <-chan struct{}) (took []time.Duration) {
	s.t.Helper()
	want, err := os.ReadFile(filepath.Join(suite.ipxe, "undionly.kpxe"))
	if err != nil {
		s.t.Fatal(err)
	}
	for {
		select {
		case <-stop:
			return took
		default:
		}
		conn := s.listenUDP(h, "192.168.2.91:0")
		start := time.Now()
		got, err := readFile(conn, "undionly.kpxe")
		took = append(took, time.Since(start))
		if err != nil || !bytes.Equal(got, want) {
			s.t.Errorf("%d bytes of %d: %v", len(got), len(want), err)
			return took
		}
		conn.Close()
		time.Sleep(20 * time.Millisecond)
	}
}

// 50,000 requests that nobody ever acknowledges: from 50,000 ports of one host, and from 50,000 forged addresses.
func TestHostileReadRequestsNeverAcknowledged(t *testing.T) {
	const requests, rate = 50_000, 10_000
	for name, from := range map[string]func(n int) netip.AddrPort{
		"one host": func(n int) netip.AddrPort {
			return netip.AddrPortFrom(netip.MustParseAddr("192.168.2.66"), uint16(1024+n))
		},
		"forged addresses": func(n int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)}), 2048)
		},
	} {
		t.Run(name, func(t *testing.T) {
			const mac = "52:54:00:c8:00:02"
			s := newSite(t, "unacked", hallHardware(1)+hardware(machine{name: "reader", mac: mac, address: "192.168.2.91"}), "--log-level=info")
			h, attacker, reader := s.newHall(), s.attacker(), s.addressed("reader", mac, "192.168.2.91/24")
			s.run(s.Server, "ip", "route", "add", "198.18.0.0/15", "via", "192.168.2.66") // answers reach a host that is silent
			request := []byte("\x00\x01undionly.kpxe\x00octet\x00tsize\x000\x00blksize\x001468\x00")
			v := s.watch()
			wait := s.fire(attacker, volley{from: from, to: tftpPort, total: requests, rate: rate, payload: func(int) []byte { return request }})
			stop, reading, most := make(chan struct{}), make(chan []time.Duration), 0
			go func() { reading <- s.readers(reader, stop) }()
			var booted []time.Duration
			for end := time.Now().Add(requests * time.Second / rate); time.Now().Before(end); {
				booted = append(booted, h.power(0, 0, 20*time.Millisecond)...)
				most = max(most, s.metric("tugboot_tftp_transfers_in_progress"))
			}
			close(stop)
			read, flood := <-reading, wait()
			t.Logf("the flood: %v; at most %d transfers at a time", flood, most)
			quickEnough(t, "DISCOVER to ACK", booted, maxSlowness)
			quickEnough(t, "a file of 106 round trips by TFTP", read, maxReading)
			if most > 4096 {
				t.Errorf("%d transfers at a time, more than 4096", most)
			}
			// Each request brings a packet twice at most, and ends within 10 seconds.
			ended := s.sum("tugboot_tftp_requests_total") + s.sum("tugboot_tftp_packets_ignored_total") + s.metric("tugboot_tftp_transfers_in_progress")
			t.Logf("how they ended:\n%s\n%s", s.reasons("tugboot_tftp_requests_total"), s.reasons("tugboot_tftp_packets_ignored_total"))
			if ended < flood.sent/2 || ended > flood.sent+2*len(read)+100 {
				t.Errorf("%d requests were sent and %d counted", flood.sent+len(read), ended)
			}
			v.unharmed(2 << 20)
			if name == "forged addresses" {
				s.within(20*time.Second, "no transfer is left", func() bool { return s.metric("tugboot_tftp_transfers_in_progress") == 0 })
			}
		})
	}
}
