package interop

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/lab"
)

const liveMAC = "52:54:00:d9:00:01"

// A changed file is in force within a second; a broken one changes nothing.
func TestHardwareFileIsFollowed(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"ip": "iproute2"})
	live := func(address string) string { return hardware(machine{name: "live", mac: liveMAC, address: address}) }
	s := newSite(t, "live", live("192.168.2.101"))
	wire := s.tap()
	h := s.host("live", liveMAC)
	offered := func() string {
		before := len(wire.answers(liveMAC, dhcpv4.MessageTypeOffer))
		s.discover(h, liveMAC)
		s.within(2*time.Second, "an OFFER", func() bool { return len(wire.answers(liveMAC, dhcpv4.MessageTypeOffer)) > before })
		return wire.answers(liveMAC, dhcpv4.MessageTypeOffer)[before].YourIPAddr.String()
	}
	if got := offered(); got != "192.168.2.101" {
		t.Fatalf("offered %s, want 192.168.2.101", got)
	}
	var slowest time.Duration
	for _, address := range []string{"192.168.2.102", "192.168.2.103", "192.168.2.104"} {
		s.writeHardware(live(address))
		changed := time.Now()
		s.within(5*time.Second, "offered "+address, func() bool { return offered() == address })
		slowest = max(slowest, time.Since(changed))
	}
	t.Logf("a renamed file is in force after at most %v", slowest.Round(time.Millisecond))
	if slowest > time.Second {
		t.Errorf("a changed file took %v to be in force, want at most 1 s", slowest)
	}

	s.writeHardware("this: is: not YAML\n")
	s.within(3*time.Second, "the log tells of the broken file", func() bool {
		return strings.Contains(read(t, s.tugboot.Log), "HardwareFileInvalid")
	})
	if got := offered(); got != "192.168.2.104" {
		t.Errorf("with a broken file offered %s, want 192.168.2.104 as before", got)
	}
	s.writeHardware(live("192.168.2.105"))
	s.within(5*time.Second, "offered the address of the mended file", func() bool { return offered() == "192.168.2.105" })
}

// discover sends one DHCPDISCOVER from the host, as often as a test wants: no client program can be told to.
func (s *site) discover(h *lab.Host, mac string, modifiers ...dhcpv4.Modifier) {
	s.t.Helper()
	address, err := net.ParseMAC(mac)
	if err != nil {
		s.t.Fatal(err)
	}
	packet, err := dhcpv4.NewDiscovery(address, modifiers...)
	if err != nil {
		s.t.Fatal(err)
	}
	err = h.Do(func() error {
		socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(socket)
		// Without an address there is no route; the device is what says where to. The port is shared, because a process that
		// another test is just starting may still hold the last socket.
		return errors.Join(unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
			unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_BROADCAST, 1), unix.BindToDevice(socket, "eth0"),
			unix.Bind(socket, &unix.SockaddrInet4{Port: 68}),
			unix.Sendto(socket, packet.ToBytes(), 0, &unix.SockaddrInet4{Port: 67, Addr: [4]byte{255, 255, 255, 255}}))
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Told to stop, it completes the downloads that are running and ends well.
func TestStopDrainsTransfers(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"tftp": "tftp-hpa", "curl": "curl", "ip": "iproute2"})
	s := newSite(t, "drain", hardware(machine{name: "slow", mac: liveMAC, address: "192.168.2.106"}))
	h := s.addressed("slow", liveMAC, "192.168.2.106/24")
	// 213 blocks of 512 bytes, each 5 ms under way in each direction, are two seconds and more.
	relay := s.udpRelay(h, serverAddr+":69", relayOptions{delay: 5 * time.Millisecond})
	slowTFTP := s.launch(h, "slow-tftp", "tftp", "-m", "binary", "127.0.0.1", relay.port(), "-c", "get", "undionly.kpxe", s.file("undionly.kpxe"))
	slowHTTP := s.launch(h, "slow-http", "curl", "-sS", "--limit-rate", "400k", "-o", s.file("ipxe.efi"), httpBase+"/ipxe.efi")
	s.within(5*time.Second, "both transfers are running", func() bool {
		return s.metric("tugboot_tftp_transfers_in_progress") == 1 && size(s.file("ipxe.efi")) > 0
	})

	stopped := time.Now()
	if err := syscall.Kill(s.tugboot.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-slowTFTP.Done():
		t.Fatal("the TFTP transfer was over before the server was told to stop: nothing was tried")
	default:
	}
	for _, p := range []*lab.Process{slowTFTP, slowHTTP, s.tugboot.Process} {
		select {
		case <-p.Done():
			if p.Err() != nil {
				t.Errorf("%s ended with %v: %s", p.Name, p.Err(), lab.Tail(p.Log, 3))
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s is still there 20 s after SIGTERM", p.Name)
		}
	}
	t.Logf("stopped after %v", time.Since(stopped).Round(time.Millisecond))
	served(t, s.file("undionly.kpxe"), "undionly.kpxe")
	served(t, s.file("ipxe.efi"), "ipxe.efi")
}

// A transfer that takes longer than the drain time does not hold the process up.
func TestStopIsBoundedByDrainTimeout(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"tftp": "tftp-hpa", "ip": "iproute2"})
	s := newSite(t, "bound", hardware(machine{name: "slow", mac: liveMAC, address: "192.168.2.107"}), "--drain-timeout=1s")
	h := s.addressed("slow", liveMAC, "192.168.2.107/24")
	relay := s.udpRelay(h, serverAddr+":69", relayOptions{delay: 100 * time.Millisecond})
	s.launch(h, "slow-tftp", "tftp", "-m", "binary", "127.0.0.1", relay.port(), "-c", "get", "undionly.kpxe", s.file("undionly.kpxe"))
	s.within(5*time.Second, "the transfer is running", func() bool { return s.metric("tugboot_tftp_transfers_in_progress") == 1 })
	stopped := time.Now()
	s.tugboot.Stop(15 * time.Second)
	if took := time.Since(stopped); s.tugboot.Err() != nil || took < 900*time.Millisecond || took > 5*time.Second {
		t.Errorf("ended with %v after %v, want exit code 0 after about the drain time of 1 s", s.tugboot.Err(), took)
	}
}

func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"ip": "iproute2"})
	s := newSite(t, "start", hardware(machine{name: "m", mac: liveMAC, address: "192.168.2.108"}), "--dhcp=proxy")
	serve := func(flags ...string) []string {
		return append([]string{suite.program, "serve", "--hardware=" + s.hardware, "--advertise=" + serverAddr, "--ipxe-dir=" + suite.ipxe,
			"--metrics-bind-address=off", "--health-probe-bind-address=off"}, flags...)
	}
	for _, test := range []struct {
		name string
		args []string
		code string
		says []string
	}{
		{"ports are taken", serve("--dhcp=auto-proxy"), "exit status 1", []string{"67/udp", "4011/udp", "69/udp", "7171/tcp", "514/udp", `"tugboot"`}},
		{"no iPXE folder", serve("--ipxe-dir=" + s.file("no-such")), "exit status 1", []string{s.file("no-such")}},
		{"empty iPXE folder", serve("--ipxe-dir=" + t.TempDir()), "exit status 1", []string{"undionly.kpxe", "ipxe.efi", "snp-arm64.efi", "ipxe-arm64.efi"}},
		{"no hardware file", serve("--hardware=" + s.file("no-such.csv")), "exit status 1", []string{"no-such.csv"}},
		{"bad flags", serve("--dhcp=pool", "--advertise=banana", "--tftp-mtu=5", "--http=:http-alt", "--log-level=loud"), "exit status 2",
			[]string{`--dhcp "pool"`, `--advertise "banana"`, "--tftp-mtu 5", "--http", `--log-level "loud"`}},
		{"bad modes", serve("--dhcp-interface=eth7=proxy", "--dhcp-interface=lo=pool", "--relay-from=banana"), "exit status 2",
			[]string{`--dhcp-interface "eth7=proxy": interface "eth7" does not exist: choose from lo, s0`, `--dhcp-interface "lo=pool": "pool" is no mode`, `--relay-from "banana"`}},
		{"no script for unknown machines", serve("--dhcp=auto-proxy", "--auto-script="+s.file("no-such.ipxe")), "exit status 1",
			[]string{`--auto-script "` + s.file("no-such.ipxe")}},
		{"unknown flag", serve("--no-such-flag"), "exit status 2", []string{"--no-such-flag"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.Server.Run(s.ctx, nil, test.args...)
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range append(test.says, test.code) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\ndoes not say %q", err, want)
				}
			}
		})
	}
}
