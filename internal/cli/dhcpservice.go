package cli

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/controllers"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/dhcpservice/kea"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

// addLeader adds the election among the replicas of one cluster, for those parts that write.
func (s *stack) addLeader(o *options.Serve, log logr.Logger) error {
	namespace := o.Takeover.Namespace
	if namespace == "" {
		namespace = o.Services.Namespace
	}
	if namespace == "" || s.source.config == nil {
		return nil
	}
	core, err := kubernetes.NewForConfig(s.source.config)
	if err != nil {
		return fmt.Errorf("--kubeconfig %q: %w", o.Source.Kubeconfig, err)
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("this host's name, which the Lease carries: %w", err)
	}
	s.leader, err = controllers.NewLeader(controllers.LeaderOptions{
		Client: core, Namespace: namespace, Name: leaseName, Instance: host + "_" + string(uuid.NewUUID()), Log: log.WithName("leader"),
	})
	if err != nil {
		return err
	}
	s.source.runnables = append(s.source.runnables, s.leader)
	return nil
}

// addServices adds what keeps existing DHCP services in step.
func (s *stack) addServices(o *options.Serve, registry prometheus.Registerer, log logr.Logger) error {
	if o.Services.Namespace == "" {
		return nil
	}
	var err error
	s.services, err = controllers.NewDHCPServiceController(controllers.DHCPServiceOptions{
		Config: s.source.config, Namespace: o.Services.Namespace, Leader: s.leader,
		Snapshot: func() (*inventory.Snapshot, bool) { return s.source.snapshot(), s.source.ready() },
		Word:     s.wordFor,
		Render: func(kind v1alpha1.DHCPServiceType, w render.Wanted) (render.Output, error) {
			text, found := rendererOf(strings.ToLower(string(kind)))
			if !found {
				return render.Output{}, fmt.Errorf("spec.type %+.80q: no such type of service: use Kea, Dnsmasq, ISC or Microsoft", kind)
			}
			return text(w)
		},
		Kea: keaPeer, Verify: verifier,
		Announce: s.source.events.Announce, Report: s.source.report, Log: log.WithName("dhcpservice"), Registerer: registry,
	})
	if err != nil {
		return err
	}
	s.source.runnables = append(s.source.runnables, s.services)
	s.source.onPublished(s.services.Trigger)
	return nil
}

// wordFor is what this instance writes into existing services: what the takeover decided, or where none decides this
// stack's own endpoint, in the name that the object gives and under the lowest fence.
func (s *stack) wordFor(object *v1alpha1.DHCPService) (render.Word, bool) {
	if s.takeover == nil {
		cluster := object.Spec.ClusterName
		if cluster == "" {
			cluster = v1alpha1.DefaultClusterName
		}
		return render.Word{Mark: takeover.Mark{Cluster: cluster}, Says: s.ownEndpoint()}, true
	}
	role, identity := s.takeover.controller.Part()
	mark, says, speaks := takeover.Speaks(role, identity, s.takeover.baton.State().BatonSeen)
	if mark.Cluster == "" {
		mark.Cluster = s.takeover.controller.ClusterName()
	}
	return render.Word{Mark: mark, Says: says}, speaks
}

// keaPeer makes the driver of one Kea server.
func keaPeer(s controllers.KeaServer) (dhcpservice.Driver, error) { return keaServer(s) }

func keaServer(s controllers.KeaServer) (*kea.Driver, error) {
	return kea.New(kea.Options{
		URL: s.URL, Username: string(s.Secret["username"]), Password: string(s.Secret["password"]),
		CA: s.Secret["ca.crt"], Cert: s.Secret["tls.crt"], Key: s.Secret["tls.key"], Subnets: s.Subnets, Disable: s.Disable,
	})
}

// verifier asks as machines would. Services other than dnsmasq cannot tell an old iPXE apart.
func verifier(ask dhcpservice.Ask, subnets []netip.Prefix) (dhcpservice.Verify, error) {
	o, err := askOptions(ask, subnets)
	if err != nil {
		return nil, err
	}
	o.OldIPXEGetsScript = true
	return offers.Verifier(o), nil
}

// askOptions are those of a probe by which ask is carried out on this host.
func askOptions(ask dhcpservice.Ask, subnets []netip.Prefix) (offers.Options, error) {
	if ask.Mode == string(v1alpha1.DHCPVerifyRelay) {
		return offers.Options{Relay: ask.Relay, Server: ask.Server}, nil
	}
	if ask.Interface != "" {
		return offers.Options{Interface: ask.Interface}, nil
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return offers.Options{}, fmt.Errorf("list the network interfaces: %w", err)
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			return offers.Options{}, fmt.Errorf("list the addresses of interface %s: %w", i.Name, err)
		}
		for _, a := range addresses {
			own, err := netip.ParsePrefix(a.String())
			if err == nil && slices.ContainsFunc(subnets, func(p netip.Prefix) bool { return p.Contains(own.Addr()) }) {
				return offers.Options{Interface: i.Name}, nil
			}
		}
	}
	return offers.Options{}, fmt.Errorf("no interface of this host has an address in %v: name one in verify.interface, or use verify.mode Relay or Off", subnets)
}
