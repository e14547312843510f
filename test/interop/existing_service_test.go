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
	api, err := s.StartControlPlane(s.ctx, assets)
	if err != nil {
		t.Fatal(err)
	}
	s.kubectl(api, "", "apply", "--server-side", "--filename="+filepath.Join("..", "..", "config", "crd", "bases"))
	s.kubectl(api, "", "wait", "--for=condition=Established", "--timeout=30s", "crd/hardware.tinkerbell.org", "crd/dhcpservices.tugboot.dev")
	s.kubectl(api, "", "create", "namespace", "tink-system")
	at := func(n int) string {
		var machines []machine
		for i := range n {
			machines = append(machines, machine{name: fmt.Sprintf("node%d", i), mac: fmt.Sprintf("52:54:00:e2:01:%02x", i), address: fmt.Sprintf("192.168.2.%d", 100+i)})
		}
		return hardware(machines...)
	}
	s.kubectl(api, at(3), "apply", "--filename=-")
	s.kubectl(api, fmt.Sprintf(`{apiVersion: tugboot.dev/v1alpha1, kind: DHCPService, metadata: {name: hall, namespace: tink-system},
spec: {type: Kea, subnets: [192.168.2.0/24], kea: {peers: [{url: "unix://%s"}]}}}`, foreign.Socket), "apply", "--filename=-")
	s.args = append(slices.DeleteFunc(lab.TugbootArgs(suite.program, suite.ipxe, "http://"+serverAddr+":7180/hook"), func(flag string) bool {
		return strings.HasPrefix(flag, "--interfaces=") || strings.HasPrefix(flag, "--dhcp=")
	}), "--dhcp=off", "--log-level=debug", "--kubeconfig="+api.Kubeconfig, "--dhcpservice-namespace=tink-system")
	s.start()
	ready := func(want string) {
		t.Helper()
		var got string
		defer func() {
			if t.Failed() {
				t.Logf("%s\n%s", got, lab.Tail(foreign.Log(), 10))
			}
		}()
		s.within(40*time.Second, want, func() bool {
			out, err := api.Kubectl(s.ctx, nil, "get", "dhcpservice", "hall", "--namespace=tink-system",
				`--output=jsonpath={.status.nextServer} {.status.reservations.applied} {.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Verified")].status}{"\n"}{.status.lastError}`)
			if got = string(out); err != nil {
				got = err.Error()
			}
			return strings.HasPrefix(got, want+"\n")
		})
	}
	ready(serverAddr + " 3 True True")

	s.kubectl(api, at(5), "apply", "--filename=-")
	ready(serverAddr + " 5 True True")
	prober := s.addressed("prober", "52:54:00:e2:00:03", "192.168.2.3/24")
	asked := func() string {
		t.Helper()
		endpoint := boot.Endpoint{Addr: netip.MustParseAddr(serverAddr), TFTPPort: 69, HTTPPort: 7171, ScriptPath: boot.DefaultScriptPath}
		for _, k := range offers.Kinds(endpoint) {
			if k.Stage != offers.StageTinkerbell {
				continue
			}
			var answers []offers.Offer
			err := prober.Do(func() (err error) {
				answers, err = offers.Ask(s.ctx, offers.Options{Interface: "eth0", Window: time.Second}, reservation.MAC{0x52, 0x54, 0, 0xe2, 1, 4}, k)
				return err
			})
			if err != nil || len(answers) != 1 {
				t.Fatalf("%d answers: %v", len(answers), err)
			}
			return fmt.Sprintf("%s %s %s", answers[0].Address, answers[0].NextServer, answers[0].BootFile())
		}
		t.Fatal("no such client")
		return ""
	}
	want := "192.168.2.104 " + serverAddr + " http://" + serverAddr + ":7171" + boot.DefaultScriptPath
	if got := asked(); got != want {
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
	if got := asked(); got != want {
		t.Errorf("without the API and Tugboot answered %s, want %s", got, want)
	}
}
