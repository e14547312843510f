package options

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	dhcpfiles "github.com/tugboot/tugboot/internal/dhcpservice/files"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
)

// The kinds of services that an agent works beside.
const (
	AgentDnsmasq = "dnsmasq"
	AgentISC     = "isc"
)

// DefaultAgentState is where an agent keeps the last good order.
const DefaultAgentState = "/var/lib/tugboot/agent"

// MainPlace stands in a check command for the copy of the main configuration that is to be checked.
const MainPlace = dhcpfiles.MainPlace

// Agent are the settings of `tugboot agent`.
type Agent struct {
	Type, Name, Namespace     string
	Kubeconfigs               []string
	Folder, Main              string
	Check, Reload, Alive      string
	Interface                 string
	StateDir                  string
	LogLevel, LogFormat       string
	CheckArgs, ReloadArgs     []string                 // set by Validate: the commands' arguments
	AliveArgs, VersionCommand []string                 // set by Validate
	Service                   v1alpha1.DHCPServiceType // set by Validate: Type as a DHCPService has it
}

// agentDefaults are what an agent does where the flags do not say, on Debian with systemd.
type agentDefaults struct {
	service                       v1alpha1.DHCPServiceType
	folder, main                  string
	check, reload, alive, version string
}

var agentTypes = map[string]agentDefaults{
	AgentDnsmasq: {
		service: v1alpha1.DHCPServiceDnsmasq, folder: dnsmasq.Dir, main: "/etc/dnsmasq.conf",
		check: "dnsmasq --test --conf-file=" + MainPlace, reload: "systemctl kill --signal=HUP dnsmasq.service",
		alive: "systemctl is-active --quiet dnsmasq.service", version: "dnsmasq --version",
	},
	AgentISC: {
		service: v1alpha1.DHCPServiceISC, folder: isc.Dir, main: "/etc/dhcp/dhcpd.conf",
		check: "dhcpd -t -cf " + MainPlace, reload: "systemctl restart isc-dhcp-server.service",
		alive: "systemctl is-active --quiet isc-dhcp-server.service", version: "dhcpd --version",
	},
}

// AddFlags defines the flags of o on f.
func (o *Agent) AddFlags(f *pflag.FlagSet) {
	dns, dhcpd := agentTypes[AgentDnsmasq], agentTypes[AgentISC]
	byType := func(what, a, b string) string {
		return fmt.Sprintf("%s; with type dnsmasq %q and with isc %q by default", what, a, b)
	}
	const argv = ", split at blanks and run without a shell"
	f.StringVar(&o.Type, "type", "", "the service on this host: dnsmasq or isc")
	f.StringVar(&o.Name, "name", "", "name of the DHCPService that describes it")
	f.StringVar(&o.Namespace, "namespace", DefaultTakeoverNamespace, "namespace of the DHCPService")
	f.StringArrayVar(&o.Kubeconfigs, "kubeconfig", nil, "kubeconfig file of a cluster with that DHCPService; may be repeated, and may appear later")
	f.StringVar(&o.Folder, "folder", "", byType("folder of the files that are written", dns.folder, dhcpd.folder))
	f.StringVar(&o.Main, "main-config", "", byType("the service's own configuration, which is only read", dns.main, dhcpd.main))
	f.StringVar(&o.Check, "check-command", "", byType("command that checks a configuration, "+MainPlace+" being its path"+argv, dns.check, dhcpd.check))
	f.StringVar(&o.Reload, "reload-command", "", byType("command that makes the service read its files again"+argv, dns.reload, dhcpd.reload))
	f.StringVar(&o.Alive, "alive-command", "", byType("command that exits with 0 while the service runs"+argv, dns.alive, dhcpd.alive))
	f.StringVar(&o.Interface, "interface", "", "network interface on which answers are verified with verify mode Broadcast, in place of the order's")
	f.StringVar(&o.StateDir, "state-dir", DefaultAgentState, "folder for the last good order, which holds on while no cluster answers")
	f.StringVar(&o.LogLevel, "log-level", "info", "debug, info or error")
	f.StringVar(&o.LogFormat, "log-format", "json", "json or console")
}

// Validate returns one error that names everything wrong, or nil, and sets what is derived.
func (o *Agent) Validate() error {
	usual, known := agentTypes[o.Type]
	if !known {
		return fmt.Errorf("--type %q: no such type: use dnsmasq or isc", o.Type)
	}
	o.Service = usual.service
	o.VersionCommand = strings.Fields(usual.version)
	for _, f := range []struct {
		value *string
		usual string
	}{{&o.Folder, usual.folder}, {&o.Main, usual.main}, {&o.Check, usual.check}, {&o.Reload, usual.reload}, {&o.Alive, usual.alive}} {
		if *f.value == "" {
			*f.value = f.usual
		}
	}
	o.CheckArgs, o.ReloadArgs, o.AliveArgs = strings.Fields(o.Check), strings.Fields(o.Reload), strings.Fields(o.Alive)
	return errors.Join(append(o.validateAPI(), o.validateHost()...)...)
}

// validateAPI looks at where orders come from.
func (o *Agent) validateAPI() []error {
	var problems []error
	if !isNamespace(o.Name) {
		problems = append(problems, fmt.Errorf("--name %q: not the name of a DHCPService: give the one that describes this host's service", o.Name))
	}
	if !isNamespace(o.Namespace) {
		problems = append(problems, fmt.Errorf("--namespace %q: not a namespace's name: write it like %s", o.Namespace, DefaultTakeoverNamespace))
	}
	if len(o.Kubeconfigs) == 0 {
		problems = append(problems, errors.New("--kubeconfig: not given: name the file of at least one cluster; it may appear later"))
	}
	for i, path := range o.Kubeconfigs {
		if path == "" || slices.Contains(o.Kubeconfigs[:i], path) {
			problems = append(problems, fmt.Errorf("--kubeconfig %q: empty or given twice: name each cluster's file once", path))
		}
	}
	return problems
}

// validateHost looks at paths, commands and the log.
func (o *Agent) validateHost() []error {
	var problems []error
	for _, f := range []struct{ flag, path string }{
		{"folder", o.Folder}, {"main-config", o.Main}, {"state-dir", o.StateDir},
	} {
		if !filepath.IsAbs(f.path) {
			problems = append(problems, fmt.Errorf("--%s %q: not an absolute path: write it from / on", f.flag, f.path))
		}
	}
	for _, f := range []struct {
		flag, text string
		args       []string
	}{{"check-command", o.Check, o.CheckArgs}, {"reload-command", o.Reload, o.ReloadArgs}, {"alive-command", o.Alive, o.AliveArgs}} {
		switch {
		case len(f.args) == 0:
			problems = append(problems, fmt.Errorf("--%s %q: blanks only: give a program and its arguments", f.flag, f.text))
		case strings.ContainsAny(f.text, "'\"\\|&;<>$`"):
			problems = append(problems, fmt.Errorf("--%s %q: no shell reads it, so quotes, variables and pipes have no meaning: put them into a script, and name that", f.flag, f.text))
		}
	}
	if len(o.CheckArgs) > 0 && !strings.Contains(o.Check, MainPlace) {
		problems = append(problems, fmt.Errorf("--check-command %q: %s is not in it: put it where the configuration's path belongs", o.Check, MainPlace))
	}
	if !slices.Contains(logLevels, o.LogLevel) {
		problems = append(problems, fmt.Errorf("--log-level %q: no such level: use one of %q", o.LogLevel, logLevels))
	}
	if !slices.Contains(logFormats, o.LogFormat) {
		problems = append(problems, fmt.Errorf("--log-format %q: no such format: use one of %q", o.LogFormat, logFormats))
	}
	return problems
}
