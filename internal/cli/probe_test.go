package cli

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/reservation"
)

func TestProbeIsUsedWrongly(t *testing.T) {
	for name, args := range map[string][]string{
		"no interface": {"--mac=52:54:00:00:00:01"},
		"an argument":  {"-i=eth0", "eth0"},
		"no client":    {"-i=lo", "--mac=52:54:00:00:00:01", "--arch=16", "--stage=firmware"},
	} {
		if code, stdout, stderr := run("", append([]string{"probe"}, args...)...); code != exitUsage || stdout != "" || !strings.Contains(stderr, "--help") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", name, code, stdout, stderr)
		}
	}
}

func TestProbeFails(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "none.yaml")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no such interface": {[]string{"-i=no-such-link", "--mac=52:54:00:00:00:01"}, `interface "no-such-link"`},
		"no such file":      {[]string{"-i=lo", "--hardware=/no/such.csv"}, "/no/such.csv"},
		"another machine":   {[]string{"-i=lo", "--hardware=" + hardwareTestdata + "facts.csv", "--mac=02:00:00:00:00:99"}, "no machine in"},
		"nobody":            {[]string{"-i=lo", "--hardware=" + empty}, "none.yaml"},
	} {
		if code, stdout, stderr := run("", append([]string{"probe"}, test.args...)...); code != exitFailed || stdout != "" || !strings.Contains(stderr, test.says) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", name, code, stdout, stderr)
		}
	}
}

// probed is a view of three questions: one answered well, one by two servers of which one is hostile, one by nobody.
func probed() *probeView {
	e := boot.Endpoint{Addr: netip.MustParseAddr("192.168.2.112"), HTTPPort: 80, ScriptPath: "/auto.ipxe"}
	server, other := netip.MustParseAddr("192.168.2.10"), netip.MustParseAddr("192.168.2.20")
	v := &probeView{Judged: true}
	for i, k := range offers.Kinds(e)[:3] {
		good := offers.Offer{Message: offers.MessageOffer, From: server, ServerID: server, Address: netip.MustParseAddr("192.168.2.101"), NextServer: e.Addr, File: k.Want.BootFile}
		bad := good
		bad.From, bad.ServerID, bad.File = other, other, "\x1b[2J"
		q := offers.Question{MAC: reservation.MAC{2, 0, 0, 0, 0, 1}, Kind: k}
		answers := [][]offers.Offer{{good}, {good, bad}, nil}[i]
		v.add(q, answers, offers.Judge(k, q.MAC, nil, offers.Intent{Endpoint: e, Servers: []netip.Addr{server}}, answers))
	}
	return v
}

func TestProbeTable(t *testing.T) {
	v := probed()
	var out strings.Builder
	if err := v.print(&out, "table"); err != nil {
		t.Fatal(err)
	}
	want := `MAC                KIND                  ANSWER  SERVER        FROM          ADDRESS        NEXT-SERVER    BOOT FILE                       AGREES
02:00:00:00:00:01  tinkerbell/0          OFFER   192.168.2.10  192.168.2.10  192.168.2.101  192.168.2.112  http://192.168.2.112/auto.ipxe  yes
02:00:00:00:00:01  tinkerbell/0/rfc3004  OFFER   192.168.2.10  192.168.2.10  192.168.2.101  192.168.2.112  http://192.168.2.112/auto.ipxe  yes
02:00:00:00:00:01  tinkerbell/0/rfc3004  OFFER   192.168.2.20  192.168.2.20  192.168.2.101  192.168.2.112  \x1b[2J                         no: boot file, server
02:00:00:00:00:01  tinkerbell/1          none    -             -             -              -              -                               no: answer

boot file by 192.168.2.20: got "\x1b[2J", want "http://192.168.2.112/auto.ipxe": iPXE is given a binary where the script belongs, and boots it for ever
server by 192.168.2.20: got "192.168.2.20", want "192.168.2.10": a DHCP server that is not expected: machines take whichever answers first
answer: got "none", want "an offer": no DHCP server answered: does it run, does it know this MAC, does it serve the network that was asked on?

More than one DHCP server answered: 192.168.2.10 192.168.2.20.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := v.verdict(); err == nil || err.Error() != "2 of 3 questions were not answered as they should be" {
		t.Errorf("%v", err)
	}
}

func TestProbeJSON(t *testing.T) {
	var out strings.Builder
	if err := probed().print(&out, "json"); err != nil {
		t.Fatal(err)
	}
	var got probeView
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Agrees || len(got.Servers) != 2 || len(got.Questions) != 3 || got.Questions[1].Answers[1].BootFile != "\x1b[2J" || got.Questions[2].Findings[0].Field != offers.FieldAnswer {
		t.Errorf("read back %+v", got)
	}
}
