package options

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

// DefaultCluster is the cluster's name in the marks when none is given.
const DefaultCluster = "default"

// Render are the settings of `tugboot render`.
type Render struct {
	Kubeconfig, Context string
	Namespaces          []string
	BatonNamespace      string
	Hardware            string
	Cluster             string
	Subnets             []string
	NextServer          string
	TFTPPort, HTTPPort  uint16
	ScriptPath          string
	BootFiles           string
	Split, Diff         string

	// Set by Validate: the subnets, and the endpoint of --next-server, zero without one.
	Prefixes []netip.Prefix
	Says     takeover.Endpoint

	flags *pflag.FlagSet
}

// AddFlags defines the flags of o on f.
func (o *Render) AddFlags(f *pflag.FlagSet) {
	o.flags = f
	f.StringVar(&o.Hardware, "hardware", "", "file or folder with Hardware (*.csv, *.yaml, *.yml, *.json), in place of a cluster")
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file of the cluster with the Hardware objects")
	f.StringVar(&o.Context, "context", "", "context of --kubeconfig; the current one by default")
	f.StringSliceVar(&o.Namespaces, "namespace", nil, "namespaces of the Hardware objects; all by default")
	f.StringVar(&o.BatonNamespace, "takeover-namespace", DefaultTakeoverNamespace, "namespace of the cluster's baton, which says the next-server")
	f.StringVar(&o.Cluster, "cluster", DefaultCluster, "name of the cluster whose marks what is rendered carries; clusters that share a service need different names")
	f.StringArrayVar(&o.Subnets, "subnet", nil, "subnet that the service serves, such as 192.168.2.0/24; may be repeated; those of the machines by default")
	f.StringVar(&o.NextServer, "next-server", "", "IPv4 address that machines are told to boot from; by default what the cluster's baton advertises")
	f.Uint16Var(&o.TFTPPort, "tftp-port", boot.DefaultTFTPPort, "UDP port of TFTP at --next-server; 0 for none")
	f.Uint16Var(&o.HTTPPort, "http-port", boot.DefaultHTTPPort, "TCP port of the script and of HTTP boot at --next-server; 0 for none")
	f.StringVar(&o.ScriptPath, "script-path", boot.DefaultScriptPath, "path of the iPXE script at --next-server")
	f.StringVar(&o.BootFiles, "boot-files", "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi",
		"first-stage binary of each family of machines at --next-server, sorted")
	f.StringVar(&o.Split, "split", "", "folder to write the operator's file and the live files into, in place of one file to standard output")
	f.StringVar(&o.Diff, "diff", "", "file to compare with what would be rendered, in place of printing that")
}

// isCluster reports whether s can be a cluster's name in marks and in the names of classes, tags and policies.
var isCluster = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`).MatchString

// Validate returns one error that names everything that is wrong, and sets what is derived.
func (o *Render) Validate() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	switch {
	case o.Kubeconfig == "" && o.Hardware == "":
		add("--hardware: not given: name a file with Hardware, or give --kubeconfig")
	case o.Kubeconfig != "" && o.Hardware != "":
		add("--hardware %q: has no effect with --kubeconfig: leave one of the two out", o.Hardware)
	}
	if o.Kubeconfig == "" {
		for _, name := range []string{"context", "namespace", "takeover-namespace"} {
			if o.flags.Changed(name) {
				add("--%s: has no effect without --kubeconfig: leave it out", name)
			}
		}
	}
	for _, namespace := range append([]string{o.BatonNamespace}, o.Namespaces...) {
		if !isNamespace(namespace) {
			add("%q: not a namespace's name: write it like %s", namespace, DefaultTakeoverNamespace)
		}
	}
	if !isCluster(o.Cluster) {
		add("--cluster %+.80q: not a cluster's name: write lower-case letters, digits and dashes, at most 63", o.Cluster)
	}
	for _, s := range o.Subnets {
		prefix, err := netip.ParsePrefix(s)
		if err != nil || !prefix.Addr().Is4() || prefix != prefix.Masked() || prefix.Bits() == 0 {
			add("--subnet %q: not an IPv4 subnet: write it like 192.168.2.0/24", s)
		}
		o.Prefixes = append(o.Prefixes, prefix)
	}
	if o.Split != "" && o.Diff != "" {
		add("--split %q: has no effect with --diff: leave one of the two out", o.Split)
	}
	return errors.Join(append(problems, o.validateSays()...)...)
}

// validateSays looks at what machines are to be told, and sets Says.
func (o *Render) validateSays() []error {
	if o.NextServer == "" {
		var problems []error
		if o.Kubeconfig == "" && o.Hardware != "" {
			problems = append(problems, errors.New("--next-server: not given: name the address that machines are told to boot from"))
		}
		for _, name := range []string{"tftp-port", "http-port", "script-path", "boot-files"} {
			if o.flags.Changed(name) {
				problems = append(problems, fmt.Errorf("--%s: has no effect without --next-server: give both or neither", name))
			}
		}
		return problems
	}
	addr, err := netip.ParseAddr(o.NextServer)
	if err != nil || !addr.Is4() || addr.IsUnspecified() || addr.IsLoopback() || addr.IsMulticast() {
		return []error{fmt.Errorf("--next-server %q: not the IPv4 address of a host: write it like 192.168.2.112", o.NextServer)}
	}
	says := takeover.Endpoint{Addr: addr, TFTPPort: o.TFTPPort, HTTPPort: o.HTTPPort, BootFiles: o.BootFiles}
	if o.HTTPPort != 0 {
		says.ScriptPath = o.ScriptPath
	} else if o.flags.Changed("script-path") {
		return []error{errors.New("--script-path: has no effect with --http-port 0: leave one of the two out")}
	}
	if _, err := render.Endpoint(says); err != nil {
		return []error{fmt.Errorf("--next-server: %w", err)}
	}
	o.Says = says
	return nil
}
