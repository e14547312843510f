package tftpload

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serve is a TFTP server of a few lines on loopback: it grants what is asked for and sends what the last acknowledgement
// asks for. spoil may change or drop (nil) a packet.
func serve(t *testing.T, file []byte, spoil func(packet []byte) []byte) netip.AddrPort {
	t.Helper()
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	go func() {
		defer close(done)
		type grant struct{ blksize, window int }
		granted := map[netip.AddrPort]grant{}
		buffer := make([]byte, 1<<16)
		send := func(packet []byte, to netip.AddrPort) {
			if packet = spoil(packet); packet != nil {
				if _, err := server.WriteToUDPAddrPort(packet, to); err != nil {
					t.Error(err)
				}
			}
		}
		for {
			n, from, err := server.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			switch packet := buffer[:n]; packet[1] {
			case opRRQ:
				g := grant{512, 1}
				words := strings.Split(string(packet[2:]), "\x00")
				answer := []byte{0, opOACK}
				for i := 2; i+1 < len(words); i += 2 {
					value, _ := strconv.Atoi(words[i+1])
					switch words[i] {
					case "blksize":
						g.blksize = value
					case "windowsize":
						g.window = value
					case "tsize":
						value = len(file)
					}
					answer = append(answer, words[i]+"\x00"+strconv.Itoa(value)+"\x00"...)
				}
				granted[from] = g
				send(answer, from)
			case opACK:
				g := granted[from]
				block := int(binary.BigEndian.Uint16(packet[2:]))
				for range g.window {
					if block*g.blksize > len(file) {
						break
					}
					data := []byte{0, opDATA, byte((block + 1) >> 8), byte(block + 1)}
					send(append(data, file[block*g.blksize:min(len(file), (block+1)*g.blksize)]...), from)
					block++
				}
			}
		}
	}()
	return server.LocalAddr().(*net.UDPAddr).AddrPort()
}

func ask(server netip.AddrPort, blksize, window int) Ask {
	return Ask{Server: server, File: "ipxe.efi", Blksize: blksize, Windowsize: window, Repeat: 100 * time.Millisecond, Tries: 5}
}

func TestClientsFetchTheFile(t *testing.T) {
	for _, size := range []int{1, 511, 512, 5120, 300_000} {
		file := make([]byte, size)
		for i := range file {
			file[i] = byte(i * 7)
		}
		server := serve(t, file, func(p []byte) []byte { return p })
		for _, window := range []int{1, 4, 16} {
			for _, blksize := range []int{512, 1456} {
				o, err := Run(Load{Ask: ask(server, blksize, window), Clients: 3, Transfers: 6}, file)
				if err != nil {
					t.Fatal(err)
				}
				if o.Done != 6 || o.Failed != 0 || o.Bytes != int64(6*size) || o.Blksize != blksize || o.Windowsize != window {
					t.Errorf("%d bytes, blksize %d, window %d: %+v", size, blksize, window, o)
				}
			}
		}
	}
}

func TestClientsAskAgainForWhatWasLost(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789"), 5000)
	count := 0
	server := serve(t, file, func(p []byte) []byte {
		if count++; count%9 == 5 {
			return nil
		}
		return p
	})
	for _, window := range []int{1, 8} {
		o, err := Run(Load{Ask: ask(server, 1456, window), Clients: 2, Transfers: 2}, file)
		if err != nil {
			t.Fatal(err)
		}
		if o.Done != 2 || o.Repeated == 0 {
			t.Errorf("window %d: %+v, want 2 done with repetitions", window, o)
		}
	}
}

func TestClientsNoticeAWrongFile(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789"), 5000)
	server := serve(t, file, func(p []byte) []byte {
		if p[1] == opDATA && p[3] == 9 {
			p[100]++
		}
		return p
	})
	o, err := Run(Load{Ask: ask(server, 1456, 1), Clients: 1, Transfers: 1}, file)
	if err != nil {
		t.Fatal(err)
	}
	if o.Failed != 1 || o.Done != 0 || !strings.Contains(o.Why, "not what the file holds") {
		t.Errorf("%+v, want the wrong byte noticed", o)
	}
	o, err = Run(Load{Ask: ask(server, 1456, 1), Clients: 1, Transfers: 1}, append(file, '!'))
	if err != nil || o.Failed != 1 {
		t.Errorf("%+v (%v), want the short file noticed", o, err)
	}
}

func TestClientsGiveUp(t *testing.T) {
	server := serve(t, []byte("x"), func([]byte) []byte { return nil })
	o, err := Run(Load{Ask: ask(server, 1456, 1), Clients: 1, Transfers: 1}, []byte("x"))
	if err != nil || o.Failed != 1 || !strings.Contains(o.Why, "no answer") {
		t.Errorf("%+v (%v), want no answer", o, err)
	}
}
