package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/go-logr/logr"

	"github.com/tugboot/tugboot/internal/capability"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/doctor"
	"github.com/tugboot/tugboot/internal/inventory"
)

// The limits of the parts of one look: the cluster and the kernel first, then the network. Together they are below ten
// seconds. A dnsmasq that has not seen a machine before looks for 3 seconds whether the address is taken, and then offers it.
const (
	doctorAPITimeout  = 4 * time.Second
	doctorHookTimeout = 2 * time.Second
	doctorDHCPWindow  = 3500 * time.Millisecond
	doctorTimeout     = 9500 * time.Millisecond
)

func newDoctorCommand() *cobra.Command {
	o := &options.Doctor{}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what would keep `tugboot serve` from working here",
		Long: "Doctor takes the flags of `tugboot serve` and says in a line each what is in its way on this host, in its network and in\n" +
			"its cluster, and what to do about it: ports that are taken and by whom, capabilities, interfaces, the address that would be\n" +
			"advertised, another DHCP server, the API, rights, Hardware, iPXE files, the kernel. It takes less than ten seconds and\n" +
			"changes nothing: it sends DHCP DISCOVERs and never a REQUEST, and gives each port back that it tried. docs/doctor.md\n" +
			"explains each check.\n\n" +
			"Exit codes: 0 serve would work, perhaps with warnings; 1 something would keep it from working; 2 used wrongly.",
		Example: "  tugboot doctor --kubeconfig mgmt.kubeconfig --takeover-namespace eksa-system --hook-url http://192.168.2.112:8080/hook\n" +
			"  tugboot doctor --hardware hardware.csv --interfaces eth1 -o json",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDoctor(c, o) },
	}
	c.Flags().SortFlags = false
	o.AddFlags(c.Flags())
	return c
}

func runDoctor(c *cobra.Command, o *options.Doctor) error {
	local, err := localAddresses()
	if err != nil {
		return err
	}
	undetected, wrong := o.Resolve(local)
	if wrong != nil {
		return usageError(wrong)
	}
	klog.SetLogger(logr.Discard()) // what the API says is a finding, and said once
	facts, err := gather(c.Context(), &o.Serve)
	if err != nil {
		return err
	}
	facts.Undetected = troubleOf(undetected)
	findings := doctor.Judge(facts)
	if err := printDiagnosis(c.OutOrStdout(), o.Output, findings); err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	if n := doctor.Count(findings, doctor.Error); n > 0 {
		return fmt.Errorf("%d of %d findings would keep `tugboot serve` from working", n, len(findings))
	}
	return nil
}

// gather looks at everything. It fails only when it was stopped.
func gather(ctx context.Context, o *options.Serve) (*doctor.Facts, error) {
	limited, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	f := &doctor.Facts{Flags: doctorFlags(o)}
	f.Capabilities = lookAtCapabilities()
	f.Interfaces = lookAtInterfaces()
	f.Ports = lookAtPorts(limited, o)
	f.Buffer = lookAtBuffer(o)
	f.Files = lookAtFiles(o)
	f.State = lookAtState(o.Takeover.StateDir)

	var machines []*inventory.Snapshot
	var management *doctor.Management
	bounded, done := context.WithTimeout(limited, doctorAPITimeout)
	defer done()
	var looking sync.WaitGroup
	looking.Go(func() { f.Hook = lookAtHook(limited, o) })
	looking.Go(func() { machines = lookAtCluster(bounded, o, f) })
	if file := o.Takeover.ManagementKubeconfig; file != "" {
		looking.Go(func() { management = lookAtManagement(bounded, file) })
	}
	looking.Wait()
	f.API.Management = management
	f.Asked = lookForServers(limited, f, machines)
	for i, a := range f.Asked {
		f.Asked[i].Proxy = o.DHCP.Modes.Of(a.Interface).Proxies()
	}
	if ctx.Err() != nil {
		return nil, errors.New("stopped before everything was looked at")
	}
	return f, nil
}

func doctorFlags(o *options.Serve) doctor.Flags {
	return doctor.Flags{
		DHCP: o.DHCP.Enabled(), Interfaces: o.DHCP.Served(),
		Advertise: o.Boot.AdvertiseAddr, Given: o.Boot.Advertise != "",
		Management: o.Takeover.Role == options.RoleManagement,
		Cluster:    o.Source.Cluster(), Files: o.Source.Hardware != "", Services: o.Services.Namespace != "",
	}
}

// troubleOf takes an error of this house apart, which ends with its remedy; the zero Trouble for nil.
func troubleOf(err error) doctor.Trouble {
	if err == nil {
		return doctor.Trouble{}
	}
	text := oneLine(err)
	i := strings.LastIndex(text, ": ")
	if i < 0 {
		return doctor.Trouble{What: text}
	}
	return doctor.Trouble{What: text[:i], Remedy: text[i+len(": "):]}
}

// lookAtCapabilities raises what is permitted, as serve does, so that ports are tried as serve takes them.
func lookAtCapabilities() doctor.Capabilities {
	found := doctor.Capabilities{Unprivileged: firstUnprivilegedPort()}
	missing, err := capability.Raise(capability.Serving()...)
	if err != nil {
		found.Failed = oneLine(err)
	}
	for _, m := range missing {
		found.Missing = append(found.Missing, doctor.Capability{Name: m.Capability, Cause: m.Cause, Remedy: m.Remedy})
	}
	return found
}
