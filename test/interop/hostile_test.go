package interop

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/test/lab"
)

// What a flood may do to Tugboot, and to the machine next to it.
const (
	maxGrowth   = 64 << 20               // bytes of resident memory
	maxSlowness = 250 * time.Millisecond // of a well-behaved machine's DORA, at the 99th percentile
	maxReading  = 2 * time.Second        // of a well-behaved machine's file by TFTP, likewise
	calmAfter   = 5 * time.Second        // until there are no more goroutines than before
)

// The tests whose names begin with TestHostile load this computer, so they run one after the other, before those that run
// side by side.

// volley is UDP packets that a host sends, each from where it likes: the host writes the IP headers itself.
type volley struct {
	from    func(n int) netip.AddrPort
	to      netip.AddrPort
	payload func(n int) []byte
	total   int
	rate    int // packets a second; 0 is as many as this computer can
}

// fired is what became of a volley.
type fired struct {
	sent int
	took time.Duration
}

func (f fired) String() string {
	return fmt.Sprintf("%d packets, %.0f a second", f.sent, float64(f.sent)/f.took.Seconds())
}

// fire sends a volley. The function that it returns waits for its end.
func (s *site) fire(h *lab.Host, v volley) (wait func() fired) {
	s.t.Helper()
	socket := -1
	err := h.Do(func() (err error) {
		socket, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		return err
	})
	if err != nil {
		s.t.Fatalf("raw socket on %s: %v", h.Name, err)
	}
	done := make(chan fired, 1)
	go func() {
		defer unix.Close(socket)
		done <- v.send(socket)
	}()
	return func() fired { return <-done }
}

func (v volley) send(socket int) fired {
	start := time.Now()
	to := &unix.SockaddrInet4{Addr: v.to.Addr().As4()}
	n := 0
	for n < v.total {
		due := v.total
		if v.rate > 0 {
			due = min(due, int(time.Since(start).Seconds()*float64(v.rate))+1)
		}
		for ; n < due; n++ {
			// What this host has no room for is not sent; how much was, is known by what arrives.
			if err := unix.Sendto(socket, datagram(v.from(n), v.to, v.payload(n)), 0, to); err != nil && err != unix.ENOBUFS && err != unix.EAGAIN {
				return fired{n, time.Since(start)}
			}
		}
		if v.rate > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	return fired{n, time.Since(start)}
}

// datagram is an IP packet without checksums: the kernel fills in that of IP, and UDP needs none.
func datagram(from, to netip.AddrPort, payload []byte) []byte {
	b := make([]byte, 28, 28+len(payload))
	b[0], b[8], b[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(b[2:], uint16(28+len(payload)))
	copy(b[12:], from.Addr().AsSlice())
	copy(b[16:], to.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[20:], from.Port())
	binary.BigEndian.PutUint16(b[22:], to.Port())
	binary.BigEndian.PutUint16(b[24:], uint16(8+len(payload)))
	return append(b, payload...)
}

// vitals watches Tugboot's memory while it is tormented.
type vitals struct {
	s               *site
	rss, peak       int64
	goroutines      int
	logged          int64
	began           time.Time
	stop, stoppedAt chan struct{}
}

// watch begins to look at Tugboot.
func (s *site) watch() *vitals {
	s.t.Helper()
	v := &vitals{s: s, goroutines: s.metric("go_goroutines"), logged: s.logSize(), began: time.Now(),
		stop: make(chan struct{}), stoppedAt: make(chan struct{})}
	v.rss = s.rss()
	v.peak = v.rss
	go func() {
		defer close(v.stoppedAt)
		for {
			select {
			case <-v.stop:
				return
			case <-time.After(50 * time.Millisecond):
				v.peak = max(v.peak, s.rss())
			}
		}
	}()
	return v
}

// unharmed ends the watch: memory grew within bounds, goroutines are gone, nothing panicked, the log is no flood itself.
func (v *vitals) unharmed(maxLog int64) {
	s := v.s
	s.t.Helper()
	took := time.Since(v.began)
	close(v.stop)
	<-v.stoppedAt
	if grown := v.peak - v.rss; grown > maxGrowth {
		s.t.Errorf("memory grew by %d MiB from %d MiB, more than %d MiB", grown>>20, v.rss>>20, int64(maxGrowth)>>20)
	}
	if v.rss == 0 {
		s.t.Error("nothing is known of Tugboot's memory")
	}
	most := 0
	s.within(calmAfter, fmt.Sprintf("no more than the %d goroutines of before", v.goroutines), func() bool {
		now := s.metric("go_goroutines")
		most = max(most, now)
		return now <= v.goroutines+2 // what asks for metrics has some itself
	})
	for _, server := range []string{"dhcp", "tftp", "syslog"} {
		if n := s.metric("tugboot_" + server + "_panics_total"); n != 0 {
			s.t.Errorf("%d panics of %s:\n%s", n, server, lab.Tail(s.tugboot.Log, 5))
		}
	}
	logged := s.logSize() - v.logged
	if logged > maxLog {
		s.t.Errorf("%d KiB were logged, more than %d KiB", logged>>10, maxLog>>10)
	}
	s.t.Logf("in %.1f s: memory %d MiB, grown by %d MiB at most; goroutines %d, %d at most afterwards; %d KiB logged",
		took.Seconds(), v.rss>>20, (v.peak-v.rss)>>20, v.goroutines, most, logged>>10)
}

// rss is Tugboot's resident memory in bytes, 0 when it is gone.
func (s *site) rss() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.tugboot.PID()))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

func (s *site) logSize() int64 {
	s.t.Helper()
	about, err := os.Stat(s.tugboot.Log)
	if err != nil {
		s.t.Fatal(err)
	}
	return about.Size()
}

// sum adds up all series of a metric.
func (s *site) sum(metric string) int {
	s.t.Helper()
	total := 0
	for _, found := range regexp.MustCompile(`(?m)^`+metric+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(s.get(operations+"/metrics"), -1) {
		value, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			s.t.Fatal(err)
		}
		total += int(value)
	}
	return total
}

// reasons lists the series of a metric, for the log of a test.
func (s *site) reasons(metric string) string {
	return strings.Join(regexp.MustCompile(`(?m)^`+metric+`\{.*$`).FindAllString(s.get(operations+"/metrics"), -1), "\n")
}

// percentile is the p-th of the durations, which must not be none.
func percentile(p int, of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// quickEnough asserts what well-behaved machines saw while others did not behave.
func quickEnough(t *testing.T, what string, took []time.Duration, most time.Duration) {
	t.Helper()
	if len(took) == 0 {
		t.Fatalf("no %s at all", what)
	}
	p99 := percentile(99, took)
	t.Logf("%d times %s: median %v, p99 %v", len(took), what, percentile(50, took).Round(10*time.Microsecond), p99.Round(10*time.Microsecond))
	if p99 > most {
		t.Errorf("%s took %v at the 99th percentile, more than %v", what, p99, most)
	}
}

// listenUDP opens a UDP socket on a host, with room for many answers.
func (s *site) listenUDP(h *lab.Host, address string) *net.UDPConn {
	s.t.Helper()
	var conn *net.UDPConn
	err := h.Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
		return err
	})
	if err != nil {
		s.t.Fatalf("listen on %s of %s: %v", address, h.Name, err)
	}
	s.t.Cleanup(func() { conn.Close() })
	raw, err := conn.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20) }); err != nil {
		s.t.Fatal(err)
	}
	return conn
}
