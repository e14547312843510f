package dhcpd

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/sys/unix"

	"github.com/tugboot/tugboot/internal/dhcp4"
	"github.com/tugboot/tugboot/internal/server/limit"
)

func TestBacklogDropsTheOldest(t *testing.T) {
	b := backlog{bound: 3}
	kept := 0
	for n := range 8 {
		p := b.get()
		p.size = n
		if b.push(p) {
			kept++
		}
	}
	var left []int
	for b.waiting > 0 {
		left = append(left, b.pop().size)
	}
	if diff := cmp.Diff([]int{5, 6, 7}, left); diff != "" || kept != 3 || len(b.spare) != 1 {
		t.Errorf("left in the backlog, -want +got:\n%s %d found room, %d packets hold nothing", diff, kept, len(b.spare))
	}
}

// TestMoreThanABacklog: of more packets than may wait the newest are answered, and the others counted.
func TestMoreThanABacklog(t *testing.T) {
	l := newLab(t)
	c := testConfig(logr.Discard())
	c.Workers, c.Queue = 1, 16
	c.Limits.Machine = limit.Rate{PerSecond: 10_000, Burst: 10_000}
	s := must(New(c))(t)
	check(t, s.Listen())
	l.acquaint()
	relay := l.listen(netip.AddrPortFrom(relayAddr, 67))
	const sent = 2 * batch // of which the lane receives all before it answers the first
	for range sent {
		l.send(relay, withGIAddr(request(clientMAC, dhcp4.TypeDiscover), relayAddr))
	}
	l.run(s)
	waitFor(t, func() bool { return count(s, "DISCOVER", "NotNetbootClient") == 16 })
	if dropped := testutil.ToFloat64(s.metrics.queueDrops); dropped != sent-16 || count(s, "NONE", "QueueFull") != sent-16 {
		t.Errorf("%v dropped, %v counted as QueueFull, want %d", dropped, count(s, "NONE", "QueueFull"), sent-16)
	}
}

func TestStopAnswersWhatWasReceived(t *testing.T) {
	l := newLab(t)
	c := testConfig(logr.Discard())
	s := must(New(c))(t)
	check(t, s.Listen())
	l.acquaint()
	relay := l.listen(netip.AddrPortFrom(relayAddr, 67))
	for range 10 {
		l.send(relay, withGIAddr(request(clientMAC, dhcp4.TypeDiscover), relayAddr))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	check(t, s.Start(ctx))
	if n := testutil.ToFloat64(s.metrics.replies.WithLabelValues("OFFER", "relay")); n != 10 {
		t.Errorf("%v of 10 were answered", n)
	}
	if again := must(New(testConfig(logr.Discard())))(t); again.Listen() != nil {
		t.Error("the port is still taken")
	} else {
		check(t, again.Close())
	}
}

// TestStopWakesEveryLane: none waits for a packet that never comes.
func TestStopWakesEveryLane(t *testing.T) {
	newLab(t)
	c := testConfig(logr.Discard())
	c.Workers = 4
	s := must(New(c))(t)
	check(t, s.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- s.Start(ctx) }()
	waitFor(t, func() bool { return s.Serving() == nil })
	time.Sleep(50 * time.Millisecond) // the lanes wait by then
	cancel()
	select {
	case err := <-stopped:
		check(t, err)
	case <-time.After(soon):
		t.Fatal("a lane still waits")
	}
	if n := testutil.ToFloat64(s.metrics.packets.WithLabelValues("NONE", "Malformed")); n != 0 {
		t.Errorf("%v packets were counted that nobody sent", n)
	}
}

func TestReceiveErrorEndsNothing(t *testing.T) {
	l := newLab(t)
	var log lines
	s := must(New(testConfig(log.logger(0))))(t)
	check(t, s.Listen())
	restore := l.unplug(s.sockets[0])
	l.run(s)
	waitFor(t, func() bool {
		return slices.ContainsFunc(log.all(), func(line string) bool { return strings.Contains(line, "receive DHCP requests; trying again") })
	})
	restore()
	l.shout(clientMAC, request(clientMAC, dhcp4.TypeDiscover))
	if f := l.hear(68, soon); f == nil || messageType(t, f.payload) != dhcp4.TypeOffer {
		t.Errorf("nothing is received after an error: %+v", f)
	}
}

// unplug puts something that is no socket in the place of s until restore is called.
func (l *lab) unplug(s *socket) (restore func()) {
	l.t.Helper()
	null := must(os.Open(os.DevNull))(l.t)
	var saved, place int
	check(l.t, s.raw.Control(func(fd uintptr) {
		place = int(fd)
		saved = must(unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0))(l.t)
	}))
	check(l.t, unix.Dup3(int(null.Fd()), place, unix.O_CLOEXEC))
	check(l.t, null.Close())
	return func() {
		check(l.t, unix.Dup3(saved, place, unix.O_CLOEXEC))
		check(l.t, unix.Close(saved))
	}
}

// send sends a request to the server.
func (l *lab) send(from *net.UDPConn, payload []byte) {
	l.t.Helper()
	must(from.WriteToUDPAddrPort(payload, netip.AddrPortFrom(serverAddr, 67)))(l.t)
}
