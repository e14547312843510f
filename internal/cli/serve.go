package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/tugboot/tugboot/internal/capability"
	"github.com/tugboot/tugboot/internal/cli/options"
)

func newServeCommand() *cobra.Command {
	var o options.Serve
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve DHCP, TFTP, HTTP and syslog from Hardware objects",
		Long: "Serve answers DHCP with the addresses that Hardware objects reserve, serves iPXE binaries and each machine's script by\n" +
			"TFTP and HTTP, and receives the machines' syslog, until it is told to stop. Hardware comes from a Kubernetes cluster or,\n" +
			"with --hardware, from a file or folder; both are followed live.",
		Example: "  tugboot serve --hook-url http://192.168.2.112:8080/hook\n" +
			"  tugboot serve --hardware hardware.csv --interfaces eth1 --hook-url http://192.168.2.112:8080/hook",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			local, err := localAddresses()
			if err != nil {
				return err
			}
			if err := o.Validate(local); err != nil {
				return usageError(err)
			}
			return serve(c.Context(), &o, c.ErrOrStderr())
		},
	}
	c.Flags().SortFlags = false
	o.AddFlags(c.Flags())
	return c
}

// serve runs until ctx ends. Everything that can fail at the start fails before the first packet is answered.
func serve(ctx context.Context, o *options.Serve, logTo io.Writer) error {
	log, library := newLoggers(logTo, o.Process.LogLevel, o.Process.LogFormat)
	setLibraryLoggers(library)
	if err := raiseCapabilities(log); err != nil {
		return err
	}
	s, err := newStack(o, log)
	if err != nil {
		return err
	}
	if err := errors.Join(s.listen(), operationsFree(&o.Process)); err != nil {
		s.tellPod(ctx, err)
		return errors.Join(err, s.close())
	}
	m, err := newProcess(o, s, library)
	if err != nil {
		return errors.Join(err, s.close())
	}
	log.Info("tugboot starts", "version", version(), "advertise", o.Boot.AdvertiseAddr.String(), "dhcp", o.DHCP.Modes.String(),
		"tftp", o.TFTP.Addresses, "http", o.HTTP.Addresses, "syslog", o.Syslog.Addresses,
		"metrics", o.Process.MetricsAddress, "health", o.Process.HealthAddress)
	if err := m.Start(ctx); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	log.Info("tugboot has stopped")
	return nil
}

// raiseCapabilities makes what a non-root process was permitted effective, and names what it was not: the servers go on
// without, as far as they can.
func raiseCapabilities(log logr.Logger) error {
	missing, err := capability.Raise(capability.Serving()...)
	for _, m := range missing {
		log.Info("a capability is missing", "capability", m.Capability, "cause", m.Cause, "remedy", m.Remedy)
	}
	return err
}

// setLibraryLoggers makes the Kubernetes libraries log where we do; they know no other way than package variables.
func setLibraryLoggers(library logr.Logger) {
	ctrl.SetLogger(library.WithName("kubernetes"))
	klog.SetLogger(library.WithName("kubernetes"))
}

// localAddresses lists the interfaces and the IPv4 addresses of this host.
func localAddresses() ([]options.LocalAddress, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the network interfaces: %w", err)
	}
	var local []options.LocalAddress
	for _, i := range interfaces {
		local = append(local, options.LocalAddress{Interface: i.Name})
		addresses, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list the addresses of interface %s: %w", i.Name, err)
		}
		for _, a := range addresses {
			prefix, err := netip.ParsePrefix(a.String())
			if err == nil && prefix.Addr().Is4() {
				local = append(local, options.LocalAddress{Interface: i.Name, Addr: prefix.Addr()})
			}
		}
	}
	return local, nil
}
