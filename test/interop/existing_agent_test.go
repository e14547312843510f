package interop

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/dhcpservice/files"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/takeover"
	"github.com/tugboot/tugboot/test/lab"
)

// A person applies a DHCPService to a cluster, and `tugboot agent` beside a dnsmasq has it say what the Hardware says, with
// no more rights than its two ConfigMaps. A hand that edits the file, the API and the agent's restart change no answer.
func TestAgentOfACluster(t *testing.T) {
	t.Parallel()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run `make interop`, which sets it to what hack/control-plane.sh prints")
	}
	s := newSite(t, "agent", hardware(machine{name: "spare", mac: "52:54:00:e3:02:01", address: "192.168.2.200"}))
	s.tugboot.Stop(5 * time.Second)
	api := s.serviceCluster(assets)
	host := s.addressed("dhcp", "52:54:00:e3:00:02", "192.168.2.2/24")
	foreign, err := lab.NewForeign(s.ctx, host, daemons(t, lab.Dnsmasq)[0], "foreign", "eth0", filepath.Join(s.Dir, "dhcp"))
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// What the operator does once: the fixed file, empty live files, and a line that includes it.
	word := render.Word{Mark: takeover.Mark{Cluster: "default"}, Says: takeover.Endpoint{Addr: netip.MustParseAddr(serverAddr), TFTPPort: 69,
		HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe", BootFiles: "bios=undionly.kpxe"}}
	out, err := dnsmasq.Render(render.Wanted{Word: word, Networks: []render.Network{{Prefix: netip.MustParsePrefix("192.168.2.0/24")}}})
	must(err)
	out.Operator.Text = strings.ReplaceAll(out.Operator.Text, dnsmasq.Dir, foreign.Dir)
	must(files.Swap(foreign.Dir, 0o644, append(out.Live, out.Operator)))
	const trap = "dhcp-boot=tag:guests,http://192.168.2.9/auto.ipxe,,192.168.2.9\n" // of a stack long gone
	must(foreign.Configure(trap + "conf-file=" + filepath.Join(foreign.Dir, out.Operator.Name) + "\n"))
	must(foreign.Start(s.ctx))
	manager, err := s.Manage(s.ctx, foreign)
	must(err)

	s.kubectl(api, serviceHardware("e3", 3), "apply", "--filename=-")
	s.kubectl(api, `{apiVersion: tugboot.dev/v1alpha1, kind: DHCPService, metadata: {name: hall, namespace: tink-system},
spec: {type: Dnsmasq, subnets: [192.168.2.0/24]}}`, "apply", "--filename=-")
	s.args = s.serviceArgs(api)
	s.start()
	startAgent := func(n int) *lab.Process {
		return s.launch(host, fmt.Sprintf("agent%d", n), suite.program, "agent", "--type=dnsmasq", "--name=hall", "--namespace=tink-system",
			"--kubeconfig="+api.Kubeconfig, "--folder="+foreign.Dir, "--main-config="+foreign.Config, "--state-dir="+filepath.Join(s.Dir, "agent-state"),
			"--reload-command="+strings.Join(manager.Reload, " "), "--alive-command="+strings.Join(manager.Alive, " "), "--log-level=debug")
	}
	agent := startAgent(1)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the agent's log:\n%s\nthe end of dnsmasq's:\n%s", lab.Tail(agent.Log, 15), lab.Tail(foreign.Log(), 10))
		}
	})
	s.serviceReady(api, serverAddr+" 3 True True")
	findings, err := api.Kubectl(s.ctx, nil, "get", "dhcpservice", "hall", "--namespace=tink-system", "--output=jsonpath={.status.findings}")
	must(err)
	if !strings.Contains(string(findings), foreign.Config+":1:1: error: ") || !strings.Contains(string(findings), "[dnsmasq-stale-script-url]") {
		t.Errorf("status.findings is %s, and does not show the operator's trap", findings)
	}

	prober := s.addressed("prober", "52:54:00:e3:00:03", "192.168.2.3/24")
	want := "192.168.2.102 " + serverAddr + " http://" + serverAddr + ":7171/ipxe/script/auto.ipxe"
	if got := s.askedAs(prober, "e3", 2); got != want {
		t.Errorf("answered %s, want %s", got, want)
	}

	// A hand in the file is repaired within a minute; a restarted agent looks at once. The API is away meanwhile.
	api.StopAPI()
	s.tugboot.Stop(5 * time.Second)
	agent.Stop(5 * time.Second)
	hosts := filepath.Join(foreign.Dir, dnsmasq.HostsName(word))
	text := read(t, hosts)
	must(os.WriteFile(hosts, []byte(strings.ReplaceAll(text, "192.168.2.102", "192.168.2.250")), 0o644))
	must(foreign.Reload())
	agent = startAgent(2)
	s.within(30*time.Second, "the file says what it said", func() bool { return read(t, hosts) == text })
	s.within(10*time.Second, "machines are answered as before", func() bool { return s.askedAs(prober, "e3", 2) == want })
}
