package cli

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/agent"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/dhcpservice/files"
	"github.com/tugboot/tugboot/internal/probe/offers"
	"github.com/tugboot/tugboot/internal/statedir"
)

func newAgentCommand() *cobra.Command {
	o := &options.Agent{}
	c := &cobra.Command{
		Use:   "agent",
		Short: "Keep the dnsmasq or ISC dhcpd of this host in step with a DHCPService",
		Long: "Agent runs beside a dnsmasq or an ISC dhcpd. It reads what the service is to say from a ConfigMap that Tugboot keeps in\n" +
			"each cluster, checks and writes the files of one folder, makes the service read them, verifies the answers, puts back\n" +
			"what stood there when they are wrong, and reports into another ConfigMap. Of several clusters the one with the highest\n" +
			"epoch is followed. While no cluster answers, the last good order holds on, also after a restart.\n\n" +
			"It asks for its ConfigMap every few seconds: it needs the verb get on two names and update on one of them. Verifying\n" +
			"needs the capability NET_RAW; with verify mode Relay also NET_BIND_SERVICE.",
		Example: "  tugboot agent --type dnsmasq --name office --kubeconfig /etc/tugboot/management.kubeconfig\n" +
			"  tugboot agent --type isc --name office --kubeconfig /etc/tugboot/bootstrap.kubeconfig \\\n" +
			"      --kubeconfig /etc/tugboot/management.kubeconfig --reload-command 'service isc-dhcp-server restart'",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return usageError(err)
			}
			return runAgent(c.Context(), o, c.ErrOrStderr())
		},
	}
	c.Flags().SortFlags = false
	o.AddFlags(c.Flags())
	return c
}

// runAgent works until ctx ends.
func runAgent(ctx context.Context, o *options.Agent, logTo io.Writer) error {
	log, library := newLoggers(logTo, o.LogLevel, o.LogFormat)
	setLibraryLoggers(library)
	if err := raiseCapabilities(log); err != nil {
		return err
	}
	language := files.Dnsmasq()
	if o.Type == options.AgentISC {
		language = files.ISC()
	}
	driver, err := files.New(files.Options{
		Language: language, Folder: o.Folder, Main: o.Main, Check: o.CheckArgs, Reload: o.ReloadArgs, Alive: o.AliveArgs,
		Version: o.VersionCommand,
	})
	if err != nil {
		return err
	}
	state, err := statedir.Open(o.StateDir)
	if err != nil {
		return err
	}
	var apis []agent.API
	for _, path := range o.Kubeconfigs {
		apis = append(apis, agent.ConfigMaps{
			Label: path, Connect: func() (kubernetes.Interface, error) { return agentClient(path) },
			Namespace: o.Namespace, Name: o.Name,
		}.API())
	}
	log.Info("tugboot agent starts", "version", version(), "type", o.Type, "dhcpservice", o.Namespace+"/"+o.Name, "folder", o.Folder,
		"kubeconfigs", o.Kubeconfigs)
	agent.New(agent.Options{
		Driver: driver, Version: driver.Version, Verify: agentVerifier(o), APIs: apis, Type: string(o.Service), State: state,
		Log: log.WithName("agent"),
	}).Run(ctx)
	log.Info("tugboot agent has stopped")
	return nil
}

// agentClient makes a client from a kubeconfig file as that is at this moment.
func agentClient(path string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %q: %s: give a file with which kubectl reaches the cluster", path, oneLine(err))
	}
	config.UserAgent = "tugboot-agent"
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %q: %s: correct the file", path, oneLine(err))
	}
	return client, nil
}

// agentVerifier makes what asks this host's service. dnsmasq alone can tell an old iPXE apart.
func agentVerifier(o *options.Agent) func(dhcpservice.Ask, []netip.Prefix) (dhcpservice.Verify, error) {
	return func(ask dhcpservice.Ask, subnets []netip.Prefix) (dhcpservice.Verify, error) {
		if o.Interface != "" && ask.Mode == string(v1alpha1.DHCPVerifyBroadcast) {
			ask.Interface = o.Interface
		}
		how, err := askOptions(ask, subnets)
		if err != nil {
			return nil, err
		}
		how.OldIPXEGetsScript = o.Type == options.AgentISC
		return offers.Verifier(how), nil
	}
}
