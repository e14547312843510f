package options

import (
	"fmt"

	"github.com/spf13/pflag"
)

// DHCPServices are the settings of the existing DHCP services that are kept in step.
type DHCPServices struct {
	Namespace string
}

// AddFlags defines the flags of o on f.
func (o *DHCPServices) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Namespace, "dhcpservice-namespace", "",
		"namespace of the DHCPServices, existing DHCP servers that are kept in step; without it none is touched")
}

// Validate returns everything that is wrong.
func (o *DHCPServices) Validate() []error {
	if o.Namespace != "" && !isNamespace(o.Namespace) {
		return []error{fmt.Errorf("--dhcpservice-namespace %q: not a namespace's name: write it like %s", o.Namespace, DefaultTakeoverNamespace)}
	}
	return nil
}

// together returns what is wrong with where Hardware comes from and with what the takeover decides.
func (o *DHCPServices) together(s *Source, t *Takeover) []error {
	switch {
	case o.Namespace == "":
		return nil
	case !s.Cluster():
		return []error{fmt.Errorf("--dhcpservice-namespace %q: has no effect on --hardware without a cluster: give --kubeconfig, or leave it out", o.Namespace)}
	case t.Enabled() && t.Namespace == "":
		return []error{fmt.Errorf("--dhcpservice-namespace %q: what is told is decided by a takeover in another cluster: give --takeover-namespace, or leave it out", o.Namespace)}
	}
	return nil
}
