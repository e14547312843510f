package lab

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpservice/files"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/takeover"
)

// ExistingAddr is where the existing DHCP service of a Creation is, which serves in the place of both instances.
var ExistingAddr = netip.AddrFrom4([4]byte{192, 168, 2, 2})

const existingMAC = "52:54:00:a0:01:02"

var existingNet = netip.MustParsePrefix("192.168.2.0/24")

// startExisting starts a Kea or a dnsmasq that knows its subnet and no machine, and has both instances leave DHCP to it. A
// dnsmasq has an agent beside it, which may ask both clusters.
func (c *Creation) startExisting(ctx context.Context, d Daemon) error {
	host, err := c.AddHost(ctx, "dhcp")
	if err != nil {
		return err
	}
	if err := host.PlugIn(ctx, "eth0", existingMAC); err != nil {
		return err
	}
	if _, err := host.Run(ctx, nil, "ip", "address", "add", ExistingAddr.String()+"/24", "dev", "eth0"); err != nil {
		return err
	}
	c.Existing, err = NewForeign(ctx, host, d, "existing", "eth0", filepath.Join(c.Dir, "dhcp"))
	if err != nil {
		return err
	}
	config := c.Existing.KeaOperator(`"subnet4": [{"id": 1, "subnet": "192.168.2.0/24"}]`)
	if d.Kind == Dnsmasq {
		if config, err = c.installTugbootPart(); err != nil {
			return err
		}
	}
	if err := c.Existing.Configure(config); err != nil {
		return err
	}
	for _, s := range c.Sides() {
		s.args = slices.DeleteFunc(s.args, func(flag string) bool {
			return strings.HasPrefix(flag, "--interfaces=") || strings.HasPrefix(flag, "--dhcp=")
		})
		s.args = append(s.args, "--dhcp=off", "--dhcpservice-namespace="+KubernetesNamespace)
	}
	if err := c.Existing.Start(ctx); err != nil || d.Kind != Dnsmasq {
		return err
	}
	return c.startAgent(ctx, host)
}

// installTugbootPart does what an operator does once: the fixed file and the first live files, which hold no machine, are
// put beside dnsmasq. It returns the line that includes them.
func (c *Creation) installTugbootPart() (string, error) {
	word := render.Word{Mark: takeover.Mark{Cluster: ClusterName}, Says: takeover.Endpoint{Addr: ServerAddr, TFTPPort: 69}}
	out, err := dnsmasq.Render(render.Wanted{Word: word, Networks: []render.Network{{Prefix: existingNet}}})
	if err != nil {
		return "", err
	}
	out.Operator.Text = strings.ReplaceAll(out.Operator.Text, dnsmasq.Dir, c.Existing.Dir)
	return "conf-file=" + filepath.Join(c.Existing.Dir, out.Operator.Name) + "\n", files.Swap(c.Existing.Dir, 0o644, append(out.Live, out.Operator))
}

func (c *Creation) startAgent(ctx context.Context, host *Host) error {
	manager, err := c.Manage(ctx, c.Existing)
	if err != nil {
		return err
	}
	c.Agent, err = host.Start(Spec{Name: "agent", Args: []string{c.parts.Tugboot, "agent", "--type=dnsmasq", "--name=hall",
		"--namespace=" + KubernetesNamespace, "--kubeconfig=" + c.Bootstrap.API.Kubeconfig, "--kubeconfig=" + c.Management.API.Kubeconfig,
		"--folder=" + c.Existing.Dir, "--main-config=" + c.Existing.Config, "--state-dir=" + filepath.Join(c.Dir, "agent-state"),
		"--reload-command=" + strings.Join(manager.Reload, " "), "--alive-command=" + strings.Join(manager.Alive, " ")}})
	return err
}

// applyExisting tells a side of the existing DHCP service, when there is one.
func (c *Creation) applyExisting(ctx context.Context, s *Side) error {
	if c.Existing == nil {
		return nil
	}
	how := fmt.Sprintf(`type: Kea, kea: {peers: [{url: "unix://%s"}]}`, c.Existing.Socket)
	if c.Existing.Daemon.Kind == Dnsmasq {
		how = "type: Dnsmasq"
	}
	text := fmt.Sprintf(`{apiVersion: tugboot.dev/v1alpha1, kind: DHCPService, metadata: {name: hall, namespace: %s},
spec: {subnets: [%s], %s}}`, KubernetesNamespace, existingNet, how)
	_, err := s.API.Kubectl(ctx, strings.NewReader(text), "apply", "--filename=-")
	return err
}
