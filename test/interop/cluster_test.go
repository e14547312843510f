package interop

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/tugboot/tugboot/test/lab"
)

const clusterMAC = "52:54:00:d9:00:02"

// A host with --hardware and --kubeconfig serves from the file until the cluster answers, from the cluster once it has,
// each change within a second of `kubectl apply`, and from its last snapshot when the API is gone again.
func TestFileUntilTheClusterAnswers(t *testing.T) {
	t.Parallel()
	need(t, map[string]string{"ip": "iproute2"})
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run `make interop`, which sets it to what hack/control-plane.sh prints")
	}
	at := func(address string) string { return hardware(machine{name: "node", mac: clusterMAC, address: address}) }
	s := newSite(t, "cluster", at("192.168.2.110"))
	api, err := s.StartControlPlane(s.ctx, assets)
	if err != nil {
		t.Fatal(err)
	}
	s.kubectl(api, "", "apply", "--server-side", "--filename="+filepath.Join("..", "..", "config", "crd", "bases"))
	s.kubectl(api, "", "wait", "--for=condition=Established", "--timeout=30s", "crd/hardware.tinkerbell.org")
	s.kubectl(api, "", "create", "namespace", "tink-system")
	s.kubectl(api, at("192.168.2.111"), "apply", "--filename=-")

	api.StopAPI()
	s.tugboot.Stop(5 * time.Second)
	s.args = append(s.args, "--kubeconfig="+api.Kubeconfig)
	s.start()
	wire := s.tap()
	h := s.host("node", clusterMAC)
	offered := func() string {
		before := len(wire.answers(clusterMAC, dhcpv4.MessageTypeOffer))
		s.discover(h, clusterMAC)
		s.within(2*time.Second, "an OFFER", func() bool { return len(wire.answers(clusterMAC, dhcpv4.MessageTypeOffer)) > before })
		return wire.answers(clusterMAC, dhcpv4.MessageTypeOffer)[before].YourIPAddr.String()
	}
	if got := offered(); got != "192.168.2.110" {
		t.Errorf("with the API away from the start offered %s, want the file's 192.168.2.110", got)
	}
	s.within(5*time.Second, "the log says that the API is away, and what to do", func() bool {
		text := read(t, s.tugboot.Log)
		return strings.Contains(text, "cannot watch Hardware") && strings.Contains(text, "nothing listens there")
	})

	if err := api.StartAPI(s.ctx); err != nil {
		t.Fatal(err)
	}
	s.within(40*time.Second, "offered what the cluster says", func() bool { return offered() == "192.168.2.111" })

	var took []time.Duration
	for n := range 20 {
		address := net.IPv4(192, 168, 2, byte(120+n)).String()
		s.kubectl(api, at(address), "apply", "--filename=-")
		applied := time.Now()
		s.within(5*time.Second, "offered "+address, func() bool { return offered() == address })
		took = append(took, time.Since(applied))
	}
	slices.Sort(took)
	t.Logf("from the end of kubectl apply to the OFFER: median %v, slowest of 20 %v", took[10], took[19])
	if took[19] > time.Second {
		t.Errorf("a changed Hardware took %v to be answered, want at most 1 s", took[19])
	}

	api.StopAPI()
	if got := offered(); got != "192.168.2.139" {
		t.Errorf("with the API lost offered %s, want 192.168.2.139 as before", got)
	}
}

// kubectl runs kubectl with an input.
func (s *site) kubectl(api *lab.ControlPlane, input string, args ...string) {
	s.t.Helper()
	if _, err := api.Kubectl(s.ctx, strings.NewReader(input), args...); err != nil {
		s.t.Fatal(err)
	}
}
