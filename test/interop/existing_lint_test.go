package interop

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/dhcpservice/files"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/test/lab"
)

// What the daemons' own checkers take and what would do harm keeps Tugboot from writing: a tag in a hosts file, by which a
// reload crashes an old dnsmasq, two clusters in one subnet of a dnsmasq, and an address that the operator has given away.
// The daemon goes on with what it said.
func TestWhatLintFindsStopsAWrite(t *testing.T) {
	t.Parallel()
	for _, d := range daemons(t, lab.Dnsmasq) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, d)
			hosts := filepath.Join(e.foreign.Dir, "operators.hosts")
			e.must(os.WriteFile(hosts, nil, 0o644))
			o := onDnsmasq()
			o.own += "dhcp-hostsfile=" + hosts + "\n"
			o.install(e)
			e.apply(wanted(3, bootstrapAddr, 1))
			e.step("a tag in a hosts file", func(e *existing) {
				e.must(os.WriteFile(hosts, []byte("52:54:00:e1:00:07,set:office,10.9.200.7\n"), 0o644))
				if d.Version < "2.91" {
					e.stopped(wanted(3, managementAddr, 2), hosts+":1:1", "[dnsmasq-hosts-set]")
					e.must(os.WriteFile(hosts, nil, 0o644))
				}
				e.apply(wanted(3, managementAddr, 2))
			})
			e.step("another cluster in the subnet", func(e *existing) {
				stands := wanted(3, managementAddr, 2)
				e.includeOffice(o)
				e.stopped(ofOffice(), "[dnsmasq-two-clusters]", existingNet.String())
				e.must(e.verify(e.ctx, stands))
			})
		})
	}
	d := daemons(t, lab.DHCPD)[0]
	t.Run(d.Name, func(t *testing.T) {
		t.Parallel()
		e := newExisting(t, d)
		o := onDHCPD()
		taken := wanted(4, bootstrapAddr, 1).Networks[0].Reservations[3].Address.Addr().String()
		o.own += "host printer { hardware ethernet 52:54:00:e1:00:07; fixed-address " + taken + "; }\n"
		o.install(e) // which the daemon takes
		e.apply(wanted(3, bootstrapAddr, 1))
		e.stopped(wanted(4, bootstrapAddr, 1), taken, "52:54:00:e1:00:07", "[dhcpd-duplicate-address]")
		e.must(e.verify(e.ctx, wanted(3, bootstrapAddr, 1)))
	})
}

// stopped asserts that want is refused with these words, before anything is written.
func (e *existing) stopped(want render.Wanted, words ...string) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.ctx, 30*time.Second)
	defer cancel()
	_, err := dhcpservice.Apply(ctx, e.driver, want, e.verify)
	var failure *dhcpservice.Failure
	if !errors.As(err, &failure) || failure.Stage != dhcpservice.StageCheck {
		e.t.Fatalf("the error is %v, want one of the check", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			e.t.Errorf("the error is %v, and does not say %q", err, word)
		}
	}
}

// ofOffice is what another cluster, office, wants in the same subnet.
func ofOffice() render.Wanted {
	w := wanted(1, bootstrapAddr, 1)
	w.Word.Mark.Cluster = "office"
	moved := *w.Networks[0].Reservations[0]
	moved.MAC[0], moved.Address = 6, reservation.PrefixOf(netip.PrefixFrom(netip.MustParseAddr("10.9.201.1"), existingNet.Bits()))
	w.Networks[0].Reservations[0] = &moved
	return w
}

// includeOffice includes the files of that cluster beside those of the first, as an operator would who does not know that this
// cannot work, and has the driver write there.
func (e *existing) includeOffice(o onFiles) {
	e.t.Helper()
	folder := filepath.Join(e.foreign.Dir, "live")
	empty := ofOffice()
	empty.Networks[0].Reservations = nil
	out, err := o.Render(empty)
	e.must(err)
	e.must(files.Swap(folder, files.DefaultMode, out.Live))
	operator := filepath.Join(e.foreign.Dir, out.Operator.Name)
	e.must(os.WriteFile(operator, []byte(strings.ReplaceAll(out.Operator.Text, o.folder, folder)), 0o644))
	e.must(e.foreign.Configure(e.read(e.foreign.Config) + strings.ReplaceAll(o.include, "FILE", operator)))
}
