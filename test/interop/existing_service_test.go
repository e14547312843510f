package interop

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/test/lab"
)

// A person applies a DHCPService to a cluster, and the Kea that it names says what the Hardware says: after the first apply,
// after a change, after Kea lost what it was told, and it goes on saying so without the API.
func TestDHCPServiceOfACluster(t *testing.T) {
	t.Parallel()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run `make interop`, which sets it to what hack/control-plane.sh prints")
	}
	kea := daemons(t, lab.Kea)[0]
	s := newSite(t, "dhcpservice", hardware(machine{name: "spare", mac: "52:54:00:e2:02:01", address: "192.168.2.200"}))
	s.tugboot.Stop(5 * time.Second)
	dhcp := s.addressed("dhcp", "52:54:00:e2:00:02", "192.168.2.2/24")
	foreign, err := lab.NewForeign(s.ctx, dhcp, kea, "foreign", "eth0", filepath.Join(s.Dir, "dhcp"))
	if err != nil {
		t.Fatal(err)
	}
	operator := foreign.KeaOperator(`"subnet4": [{"id": 7, "subnet": "192.168.2.0/24", "reservations": [{"hw-address": "52:54:00:e2:00:09", "ip-address": "192.168.2.9"}]}]`)
	if err := foreign.Configure(operator); err != nil {
		t.Fatal(err)
	}
	if err := foreign.Start(s.ctx); err != nil {
		t.Fatal(err)
	}
	api := s.serviceCluster(assets)
	s.kubectl(api, serviceHardware("e2", 3), "apply", "--filename=-")
	s.kubectl(api, fmt.Sprintf(`{apiVersion: tugboot.dev/v1alpha1, kind: DHCPService, metadata: {name: hall, namespace: tink-system},
spec: {type: Kea, subnets: [192.168.2.0/24], kea: {peers: [{url: "unix://%s"}]}}}`, foreign.Socket), "apply", "--filename=-")
	s.args = s.serviceArgs(api)
	s.start()
	s.serviceReady(api, serverAddr+" 3 True True")

	s.kubectl(api, serviceHardware("e2", 5), "apply", "--filename=-")
	s.serviceReady(api, serverAddr+" 5 True True")
	prober := s.addressed("prober", "52:54:00:e2:00:03", "192.168.2.3/24")
	want := "192.168.2.104 " + serverAddr + " http://" + serverAddr + ":7171" + boot.DefaultScriptPath
	if got := s.askedAs(prober, "e2", 4); got != want {
		t.Errorf("answered %s, want %s", got, want)
	}

	// Kea comes back with the operator's old file: everything of ours is gone, and is written again.
	foreign.Stop()
	if err := foreign.Configure(operator); err != nil {
		t.Fatal(err)
	}
	if err := foreign.Start(s.ctx); err != nil {
		t.Fatal(err)
	}
	s.kubectl(api, "", "annotate", "dhcpservice", "hall", "--namespace=tink-system", "lab=looked") // within a minute by itself
	s.within(20*time.Second, "what Kea lost is written again", func() bool {
		answer, err := foreign.KeaCommand(s.ctx, "config-get", nil)
		return err == nil && strings.Contains(string(answer), "192.168.2.104")
	})
	api.StopAPI()
	s.tugboot.Stop(5 * time.Second)
	if got := s.askedAs(prober, "e2", 4); got != want {
		t.Errorf("without the API and Tugboot answered %s, want %s", got, want)
	}
}

// serviceCluster is a cluster that knows Hardware and DHCPServices.
func (s *site) serviceCluster(assets string) *lab.ControlPlane {
	s.t.Helper()
	api, err := s.StartControlPlane(s.ctx, assets)
	if err != nil {
		s.t.Fatal(err)
	}
	s.kubectl(api, "", "apply", "--server-side", "--filename="+filepath.Join("..", "..", "config", "crd", "bases"))
	s.kubectl(api, "", "wait", "--for=condition=Established", "--timeout=30s", "crd/hardware.tinkerbell.org", "crd/dhcpservices.tugboot.dev")
	s.kubectl(api, "", "create", "namespace", "tink-system")
	return api
}

// serviceArgs is the command line of a Tugboot that leaves DHCP to the services of a cluster.
func (s *site) serviceArgs(api *lab.ControlPlane) []string {
	own := slices.DeleteFunc(lab.TugbootArgs(suite.program, suite.ipxe, "http://"+serverAddr+":7180/hook"), func(flag string) bool {
		return strings.HasPrefix(flag, "--interfaces=") || strings.HasPrefix(flag, "--dhcp=")
	})
	return append(own, "--dhcp=off", "--log-level=debug", "--kubeconfig="+api.Kubeconfig, "--dhcpservice-namespace=tink-system")
}

// serviceHardware is n machines, the i-th at 192.168.2.(100+i).
func serviceHardware(site string, n int) string {
	var machines []machine
	for i := range n {
		machines = append(machines, machine{name: fmt.Sprintf("node%d", i), mac: fmt.Sprintf("52:54:00:%s:01:%02x", site, i), address: fmt.Sprintf("192.168.2.%d", 100+i)})
	}
	return hardware(machines...)
}

// serviceReady waits until the DHCPService says so: next-server, reservations, Ready and Verified.
func (s *site) serviceReady(api *lab.ControlPlane, want string) {
	s.t.Helper()
	var got string
	defer func() {
		if s.t.Failed() {
			s.t.Logf("the DHCPService says %s", got)
		}
	}()
	s.within(60*time.Second, want, func() bool {
		out, err := api.Kubectl(s.ctx, nil, "get", "dhcpservice", "hall", "--namespace=tink-system",
			`--output=jsonpath={.status.nextServer} {.status.reservations.applied} {.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Verified")].status}{"\n"}{.status.lastError}`)
		if got = string(out); err != nil {
			got = err.Error()
		}
		return strings.HasPrefix(got, want+"\n")
	})
}

// askedAs is what the i-th machine of serviceHardware is answered as iPXE with the user class Tinkerbell: address,
// next-server and boot file.
func (s *site) askedAs(prober *lab.Host, site string, i byte) string {
	s.t.Helper()
	mac, err := reservation.ParseMAC(fmt.Sprintf("52:54:00:%s:01:%02x", site, i))
	if err != nil {
		s.t.Fatal(err)
	}
	endpoint := boot.Endpoint{Addr: netip.MustParseAddr(serverAddr), TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath}
	kinds := offers.Kinds(endpoint)
	k := kinds[slices.IndexFunc(kinds, func(k offers.Kind) bool { return k.Stage == offers.StageTinkerbell })]
	var answers []offers.Offer
	err = prober.Do(func() (err error) {
		answers, err = offers.Ask(s.ctx, offers.Options{Interface: "eth0", Window: time.Second}, mac, k)
		return err
	})
	if err != nil || len(answers) != 1 {
		s.t.Fatalf("%d answers: %v", len(answers), err)
	}
	return fmt.Sprintf("%s %s %s", answers[0].Address, answers[0].NextServer, answers[0].BootFile())
}
