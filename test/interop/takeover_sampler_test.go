package interop

import (
	"net/netip"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

const (
	sampledMAC  = "52:54:00:d9:00:09"
	sampledAddr = "192.168.2.109"
)

// The sampler of the takeover's test is itself tried: it finds nothing wrong with a stack that serves what it advertises,
// and finds out one that does not, or that mixes two stacks.
func TestSamplerHoldsAnswersAgainstWhatIsServed(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"ip": "iproute2"})
	for _, c := range []struct {
		name, netboot   string
		unserved, mixed bool
	}{
		{name: "serves"},
		{name: "absent", netboot: `ipxe: {url: "http://` + serverAddr + `:7171/absent.ipxe"}`, unserved: true},
		{name: "mixed", netboot: `ipxe: {url: "http://192.168.2.50:7171/auto.ipxe"}`, mixed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, "sampler-"+c.name, hardware(machine{name: "sampled", mac: sampledMAC, address: sampledAddr, netboot: c.netboot}))
			changes := make(chan lab.Change, 100)
			sampler, err := s.StartSampler(s.ctx, sampledMAC, netip.MustParseAddr(sampledAddr), func(change lab.Change) { changes <- change })
			if err != nil {
				t.Fatal(err)
			}
			if first := <-changes; first.Server.String() != serverAddr || first.NextServer.String() != serverAddr || first.Silent {
				t.Errorf("the first answer: %+v", first)
			}
			time.Sleep(time.Second)
			answers, unserved := 0, 0
			for _, span := range sampler.Spans() {
				answers += span.Answers
				unserved += span.Unserved
			}
			t.Logf("%d answers in a second, %d of them named what was not served", answers, unserved)
			if answers < 20 {
				t.Errorf("%d answers, want at least 20", answers)
			}
			if (unserved > 0) != c.unserved {
				t.Errorf("%d answers named what was not served", unserved)
			}
			if problems := sampler.Problems(); (len(problems) > 0) != c.mixed {
				t.Errorf("problems: %v", problems)
			}
			s.tugboot.Kill()
			s.within(3*time.Second, "the sampler tells that nobody answers", func() bool {
				for {
					select {
					case change := <-changes:
						if change.Silent {
							return true
						}
					default:
						return false
					}
				}
			})
		})
	}
}
