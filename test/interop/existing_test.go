package interop

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
	"github.com/tugboot/tugboot/test/lab"
)

// The network of the existing services, with room for more machines than a /24 has, and the two endpoints that machines
// are told, the one before a takeover and the one after.
var (
	existingNet    = netip.MustParsePrefix("10.9.0.0/16")
	existingServer = netip.MustParseAddr("10.9.0.2")
	bootstrapAddr  = netip.MustParseAddr("10.9.0.112")
	managementAddr = netip.MustParseAddr("10.9.0.50")
)

// The operator's own machine, which is none of Tugboot's.
var ownMAC = reservation.MAC{0x52, 0x54, 0x00, 0xe1, 0x00, 0x01}

const ownAddr = "10.9.200.1"

// existing is a LAN with an existing DHCP service on it, a host to ask from, and a driver that makes the service say what
// it is told.
type existing struct {
	*lab.Lab
	t       *testing.T
	ctx     context.Context
	foreign *lab.Foreign
	driver  dhcpservice.Driver
	server  *lab.Host // the service's
	prober  *lab.Host
	servers []netip.Addr // that may answer
}

// daemons returns the DHCP servers of a kind: the installed one, and the newer ones.
func daemons(t *testing.T, kind lab.DaemonKind) []lab.Daemon {
	t.Helper()
	newer := os.Getenv("TUGBOOT_DHCP_SERVERS")
	if newer == "" {
		t.Fatal("the newer DHCP servers are missing: set TUGBOOT_DHCP_SERVERS to the folder that hack/dhcp-servers.sh prints")
	}
	all, err := lab.Daemons(newer)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(d lab.Daemon) bool { return d.Kind != kind })
}

// labs counts them, for two tests may run the same daemon at the same time.
var labs atomic.Int32

// newExisting makes the LAN. The service is not started.
func newExisting(t *testing.T, d lab.Daemon) *existing {
	t.Helper()
	ctx, cancel := context.WithTimeout(suite.ctx, 150*time.Second)
	t.Cleanup(cancel)
	name := fmt.Sprintf("interop-%s-%d", strings.NewReplacer(".", "-", "P", "p").Replace(d.Name), labs.Add(1))
	l, err := lab.New(ctx, name, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := &existing{Lab: l, t: t, ctx: ctx, servers: []netip.Addr{existingServer}}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() && e.foreign != nil {
			t.Logf("the end of %s:\n%s", e.foreign.Log(), lab.Tail(e.foreign.Log(), 15))
		}
	})
	e.server = e.host("dhcp", "52:54:00:e0:00:02", netip.PrefixFrom(existingServer, existingNet.Bits()))
	e.prober = e.host("prober", "52:54:00:e0:00:03", netip.PrefixFrom(existingServer.Next(), existingNet.Bits()))
	e.foreign, err = lab.NewForeign(ctx, e.server, d, "foreign", "eth0", filepath.Join(l.Dir, "dhcp"))
	e.must(err)
	return e
}

// in is the service for a subtest, whose failures are the subtest's own.
func (e *existing) in(t *testing.T) *existing {
	sub := *e
	sub.t = t
	return &sub
}

func (e *existing) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *existing) host(name, mac string, addr netip.Prefix) *lab.Host {
	e.t.Helper()
	h, err := e.AddHost(e.ctx, name)
	e.must(err)
	e.must(h.PlugIn(e.ctx, "eth0", mac))
	_, err = h.Run(e.ctx, nil, "ip", "address", "add", addr.String(), "dev", "eth0")
	e.must(err)
	return h
}

// configure starts the daemon with a configuration, or starts it again with another one.
func (e *existing) configure(text string) {
	e.t.Helper()
	e.must(e.foreign.Configure(text))
	e.must(e.foreign.Restart(e.ctx))
}

// wanted is n machines that are to be told the endpoint at next. The word is the higher the later it is asked for.
func wanted(n int, next netip.Addr, epoch int64) render.Wanted {
	w := render.Wanted{Word: render.Word{
		Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1_700_000_000, Epoch: epoch}, Identity: "8a4cf8c5"},
		Says: takeover.Endpoint{Addr: next, TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe",
			BootFiles: "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi"},
	}}
	network := render.Network{Prefix: existingNet}
	for i := range n {
		network.Reservations = append(network.Reservations, &reservation.Reservation{
			Source: reservation.Source{Namespace: "eksa-system", Name: fmt.Sprintf("node%d", i)}, Hostname: fmt.Sprintf("node%d", i), MAC: reservation.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}, Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, byte(16 + i/250), byte(1 + i%250)}), existingNet.Bits())),
			Settings: &reservation.Settings{Lease: reservation.DefaultLease, Gateway: netip.MustParseAddr("10.9.0.1"), NameServers: []netip.Addr{netip.MustParseAddr("10.9.0.53")}, Netboot: reservation.Netboot{Allow: true}},
		})
	}
	w.Networks = []render.Network{network}
	return w
}

// askedBy says which machine of a Wanted asks every 20 ms: neither the first nor the last, for those are probed.
const askedBy = 1

// askOptions are how the service is asked.
func (e *existing) askOptions() offers.Options {
	return offers.Options{Interface: "eth0", Window: 2 * time.Second, Servers: e.servers,
		OldIPXEGetsScript: e.foreign.Daemon.Kind != lab.Dnsmasq}
}

// verify asks as machines would, from the prober.
func (e *existing) verify(ctx context.Context, want render.Wanted) error {
	return e.prober.Do(func() error { return offers.Verifier(e.askOptions())(ctx, want) })
}

// apply makes the service say want, verified, and returns how long it took to check and write it.
func (e *existing) apply(want render.Wanted) time.Duration {
	e.t.Helper()
	since := time.Now()
	var took time.Duration
	standing, err := dhcpservice.Apply(e.ctx, e.driver, want, func(ctx context.Context, want render.Wanted) error {
		took = time.Since(since)
		return e.verify(ctx, want)
	})
	e.must(err)
	if standing.Word != want.Word || standing.Reservations != want.Reservations() || standing.Drifts != 0 {
		e.t.Errorf("there stand the word %+v and %d reservations, and %d differences %v; want %+v, %d and none",
			standing.Word, standing.Reservations, standing.Drifts, standing.Drift, want.Word, want.Reservations())
	}
	return took
}

// own is what the service answers the operator's own machine, as every kind of client.
func (e *existing) own() []offers.Offer {
	e.t.Helper()
	endpoint, err := wanted(0, bootstrapAddr, 0).Word.Endpoint()
	e.must(err)
	var questions []offers.Question
	for _, k := range offers.Kinds(endpoint) {
		questions = append(questions, offers.Question{MAC: ownMAC, Kind: k})
	}
	var all []offers.Offer
	e.must(e.prober.Do(func() error {
		answers, err := offers.AskAll(e.ctx, e.askOptions(), questions)
		for i, a := range answers {
			if len(a) != 1 {
				return fmt.Errorf("%d answers to %s of the operator's machine, want 1", len(a), questions[i].Kind.Name)
			}
			a[0].RTT = 0
			all = append(all, a[0])
		}
		return err
	}))
	return all
}
