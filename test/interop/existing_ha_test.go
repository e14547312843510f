package interop

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/dhcpservice/kea"
	"github.com/tugboot/tugboot/test/lab"
)

// The second server of a pair, and the port at which the two speak with each other.
var secondServer = netip.MustParseAddr("10.9.0.4")

const haPort = 8000

// pair is a Kea with a partner.
type pair struct {
	*existing
	partner *lab.Foreign
}

// A pair of Keas in high availability is told what to say as one: each takes its turn, and is waited for. With one of them
// dead nothing is written and the condition names it; once it is back, the same order goes through. Each has been told all:
// the second says it when the first is gone.
func TestKeaPair(t *testing.T) {
	t.Parallel()
	for _, d := range daemons(t, lab.Kea) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, d)
			p.apply(wanted(3, bootstrapAddr, 1))
			machine := wanted(3, bootstrapAddr, 1).Networks[0].Reservations[askedBy]
			asker, err := p.StartAsker(p.ctx, machine.MAC.String(), machine.Address.Prefix())
			p.must(err)
			p.step("takeover", func(e *existing) { e.takesOver(asker, 3, bootstrapAddr, managementAddr, 2) })
			p.step("one is dead", func(e *existing) {
				p.partner.Kill()
				since := time.Now()
				e.failsWith(wanted(4, bootstrapAddr, 3), dhcpservice.StageRead, p.partner.Socket)
				time.Sleep(settle)
				e.keepsSaying(asker, since, managementAddr)
				e.must(p.partner.Start(e.ctx))
				p.serves(p.foreign, "hot-standby")
				p.serves(p.partner, "hot-standby")
				e.apply(wanted(4, bootstrapAddr, 3))
			})
			p.step("the other is dead", func(e *existing) {
				p.foreign.Kill()
				p.serves(p.partner, "partner-down")
				e.must(e.verify(e.ctx, wanted(4, bootstrapAddr, 3)))
			})
		})
	}
}

func newPair(t *testing.T, d lab.Daemon) *pair {
	p := &pair{existing: newExisting(t, d)}
	p.servers = append(p.servers, secondServer)
	partner := p.host("partner", "52:54:00:e0:00:04", netip.PrefixFrom(secondServer, existingNet.Bits()))
	var err error
	p.partner, err = lab.NewForeign(p.ctx, partner, d, "partner", "eth0", filepath.Join(p.Dir, "partner"))
	p.must(err)
	p.must(p.partner.Configure(p.config(p.partner, "second")))
	p.must(p.partner.Start(p.ctx))
	p.configure(p.config(p.foreign, "first"))
	var peers []dhcpservice.Peer
	for _, f := range []*lab.Foreign{p.foreign, p.partner} {
		driver, err := kea.New(kea.Options{URL: "unix://" + f.Socket, Subnets: []netip.Prefix{existingNet}})
		p.must(err)
		peers = append(peers, dhcpservice.Peer{Name: f.Socket, Driver: driver})
	}
	p.driver = dhcpservice.Peers(peers)
	p.serves(p.foreign, "hot-standby")
	p.serves(p.partner, "hot-standby")
	return p
}

// config is the configuration of one of the two.
func (p *pair) config(f *lab.Foreign, name string) string {
	return f.KeaPair(name, []string{existingServer.String(), secondServer.String()}, haPort, keaOwn)
}

// serves waits until a server is in a state of its high availability.
func (p *pair) serves(f *lab.Foreign, state string) {
	p.t.Helper()
	var last string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if last = p.state(f); last == state {
			return
		}
	}
	p.t.Fatalf("%s is in state %q, want %q", f.Socket, last, state)
}

func (p *pair) state(f *lab.Foreign) string {
	p.t.Helper()
	answer, err := f.KeaCommand(p.ctx, "status-get", nil)
	p.must(err)
	var status struct {
		HA []struct {
			Servers struct{ Local struct{ State string } } `json:"ha-servers"`
		} `json:"high-availability"`
	}
	p.must(json.Unmarshal(answer, &status))
	if len(status.HA) == 0 {
		return ""
	}
	return strings.ToLower(status.HA[0].Servers.Local.State)
}
