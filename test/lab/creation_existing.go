package lab

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
)

// ExistingAddr is where the existing DHCP service of a Creation is, which serves in the place of both instances.
var ExistingAddr = netip.AddrFrom4([4]byte{192, 168, 2, 2})

const existingMAC = "52:54:00:a0:01:02"

// startExisting starts a Kea that knows its subnet and no machine, and has both instances leave DHCP to it.
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
	if err := c.Existing.Configure(c.Existing.KeaOperator(`"subnet4": [{"id": 1, "subnet": "192.168.2.0/24"}]`)); err != nil {
		return err
	}
	for _, s := range c.Sides() {
		s.args = slices.DeleteFunc(s.args, func(flag string) bool {
			return strings.HasPrefix(flag, "--interfaces=") || strings.HasPrefix(flag, "--dhcp=")
		})
		s.args = append(s.args, "--dhcp=off", "--dhcpservice-namespace="+KubernetesNamespace)
	}
	return c.Existing.Start(ctx)
}

// applyExisting tells a side of the existing DHCP service, when there is one.
func (c *Creation) applyExisting(ctx context.Context, s *Side) error {
	if c.Existing == nil {
		return nil
	}
	text := fmt.Sprintf(`{apiVersion: tugboot.dev/v1alpha1, kind: DHCPService, metadata: {name: hall, namespace: %s},
spec: {type: Kea, subnets: [192.168.2.0/24], kea: {peers: [{url: "unix://%s"}]}}}`, KubernetesNamespace, c.Existing.Socket)
	_, err := s.API.Kubectl(ctx, strings.NewReader(text), "apply", "--filename=-")
	return err
}
