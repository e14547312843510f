package interop

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/lab"
)

// replicaMAC is the machine that asks every 20 ms, at replicaAddr; quietMAC is another.
const (
	replicaMAC  = "52:54:00:e5:01:00"
	replicaAddr = "192.168.2.100/24"
	quietMAC    = "52:54:00:e5:01:01"
)

// silenceLimit is how long nobody may answer a machine while a replica dies: the shortest patience of firmware. On a host that
// does nothing else it is the 20 ms between two questions.
const silenceLimit = time.Second

// replica is one Tugboot of several in a cluster.
type replica struct {
	*lab.Station
	args    []string
	tugboot *lab.Tugboot
	starts  int
}

func (r *replica) start(s *site) {
	s.t.Helper()
	r.starts++
	tugboot, err := r.StartTugboot(s.ctx, fmt.Sprintf("replica%d", r.starts), r.args)
	if err != nil {
		s.t.Fatal(err)
	}
	r.tugboot = tugboot
}

// Three replicas in one cluster advertise one address. Each answers each machine, with the same bytes, and when any of them
// is killed, the leader included, and while the API is away, no machine waits.
func TestReplicas(t *testing.T) {
	t.Parallel()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run `make interop`, which sets it to what hack/control-plane.sh prints")
	}
	s := newSite(t, "replicas", hardware(machine{name: "spare", mac: "52:54:00:e5:02:01", address: "192.168.2.200"}))
	s.tugboot.Stop(5 * time.Second)
	api := s.serviceCluster(assets)
	s.kubectl(api, serviceHardware("e5", 3), "apply", "--filename=-")
	replicas := s.replicas(api)
	for _, r := range replicas {
		r.start(s)
	}

	wire := s.tap()
	s.sameAnswers(wire, len(replicas))
	asker, err := s.StartAsker(s.ctx, replicaMAC, netip.MustParsePrefix(replicaAddr))
	if err != nil {
		t.Fatal(err)
	}
	leads := func(r *replica) bool { return strings.Contains(read(t, r.tugboot.Log), "this replica is the leader") }
	s.within(10*time.Second, "one replica leads", func() bool { return slices.ContainsFunc(replicas, leads) })
	for _, r := range replicas {
		what := "a replica is killed"
		if leads(r) {
			what = "the leader is killed"
		}
		s.disturbed(asker, what, r.tugboot.Kill)
		r.start(s)
	}
	s.disturbed(asker, "the API is stopped", api.StopAPI)
	for _, problem := range asker.Problems() {
		t.Error(problem)
	}
}

// replicas are three hosts, the first of them the site's server, each with the same command line.
func (s *site) replicas(api *lab.ControlPlane) []*replica {
	s.t.Helper()
	all := []*replica{{Station: s.ServerStation()}}
	for i := range byte(2) {
		station, err := s.AddStation(s.ctx, fmt.Sprintf("replica%d", i+2), fmt.Sprintf("52:54:00:e5:00:%02d", i+2), netip.AddrFrom4([4]byte{192, 168, 2, 113 + i}))
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, &replica{Station: station})
	}
	for _, r := range all {
		args := r.TugbootArgs(suite.program, suite.ipxe, "http://"+serverAddr+":7180/hook", "--kubeconfig="+api.Kubeconfig, "--dhcpservice-namespace=tink-system")
		for i, flag := range args {
			if strings.HasPrefix(flag, "--advertise=") {
				args[i] = "--advertise=" + serverAddr // an address that moves with the service, as kube-vip's does
			}
		}
		r.args = args
	}
	return all
}

// sameAnswers has a machine ask, and asserts that n servers offer it the same bytes.
func (s *site) sameAnswers(wire *wiretap, n int) {
	s.t.Helper()
	offers := func() []exchanged {
		return wire.find(func(e exchanged) bool {
			return e.OpCode == dhcpv4.OpcodeBootReply && e.ClientHWAddr.String() == quietMAC && e.MessageType() == dhcpv4.MessageTypeOffer
		})
	}
	s.discover(s.host("quiet", quietMAC), quietMAC, dhcpv4.WithBroadcast(true))
	s.within(5*time.Second, fmt.Sprintf("%d offers", n), func() bool { return len(offers()) == n })
	from := map[string]bool{}
	for _, offer := range offers() {
		from[offer.from.String()] = true
		if first := offers()[0]; !bytes.Equal(first.ToBytes(), offer.ToBytes()) {
			s.t.Errorf("%s offers\n%s\nand %s offers\n%s", first.from, first.Summary(), offer.from, offer.Summary())
		}
	}
	if len(from) != n {
		s.t.Errorf("offers came from %v, want %d servers", from, n)
	}
}

// disturbed does something, and asserts that nobody notices.
func (s *site) disturbed(asker *lab.Asker, what string, f func()) {
	s.t.Helper()
	time.Sleep(500 * time.Millisecond)
	since := time.Now()
	f()
	time.Sleep(time.Second)
	heard := asker.Heard(since.Add(-250 * time.Millisecond))
	silence := lab.LongestSilence(heard)
	s.t.Logf("measured | replicas | %s | longest silence %d ms", what, silence.Milliseconds())
	if silence > silenceLimit || len(heard) == 0 || time.Since(heard[len(heard)-1].At) > silenceLimit {
		s.t.Errorf("%s: nobody answered for %v, want at most %v", what, silence, silenceLimit)
	}
}
