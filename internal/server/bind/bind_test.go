package bind

import (
	"net"
	"os"
	"strings"
	"testing"
)

func TestErrorNamesPortAndCulprit(t *testing.T) {
	held, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	port := uint16(held.LocalAddr().(*net.UDPAddr).Port)
	_, err = net.ListenPacket("udp", held.LocalAddr().String())
	if err == nil {
		t.Fatal("the second listener was allowed")
	}
	got := Error("DHCP", "udp", "127.0.0.1", port, err).Error()
	name, readErr := os.ReadFile("/proc/self/comm")
	if readErr != nil {
		t.Fatal(readErr)
	}
	for _, want := range []string{"DHCP: port ", "/udp at 127.0.0.1 is taken", strings.TrimSpace(string(name)), "stop that server"} {
		if !strings.Contains(got, want) {
			t.Errorf("the error %q does not say %q", got, want)
		}
	}
}

func TestErrorNamesAddressThatIsNotOurs(t *testing.T) {
	_, err := net.ListenPacket("udp", "192.0.2.1:0")
	if err == nil {
		t.Fatal("bound to a documentation address")
	}
	got := Error("TFTP", "udp", "192.0.2.1", 69, err).Error()
	if !strings.Contains(got, "192.0.2.1 is not an address of this host") {
		t.Errorf("unhelpful: %s", got)
	}
}

func TestACulpritThatCannotBeSeenIsGuessed(t *testing.T) {
	for port, want := range map[uint16]string{67: "Smee", 514: "rsyslog", 9: "names it)"} {
		// Nobody holds these where this test runs, which looks like a holder in another PID namespace.
		if len(Holders("udp", port)) > 0 {
			continue
		}
		if got := culprit("udp", port); !strings.Contains(got, want) || !strings.Contains(got, "ss -lpn") {
			t.Errorf("port %d: %q", port, got)
		}
	}
}
