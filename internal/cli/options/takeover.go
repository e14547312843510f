package options

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/takeover"
)

// The roles that a person can name.
const (
	RoleAuto       = "auto"
	RoleBootstrap  = "bootstrap"
	RoleManagement = "management"
)

// DefaultTakeoverNamespace is where EKS Anywhere keeps what is its own, and the baton is sought when no namespace is given.
const DefaultTakeoverNamespace = "eksa-system"

// Takeover are the settings of the takeover, and of what outlives a restart.
type Takeover struct {
	Namespace            string
	Role                 string
	ManagementKubeconfig string
	StateDir             string
}

// AddFlags defines the flags of o on f.
func (o *Takeover) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Namespace, "takeover-namespace", "",
		"namespace of the Takeover and of the baton, as a rule "+DefaultTakeoverNamespace+"; without it the advertised address never changes")
	f.StringVar(&o.Role, "role", RoleAuto, "part of this cluster in the takeover: auto (as its Nodes say), bootstrap or management")
	f.StringVar(&o.ManagementKubeconfig, "management-kubeconfig", "",
		"kubeconfig file of the management cluster, which may come later: this process is a bootstrap stack and follows that cluster's baton")
	f.StringVar(&o.StateDir, "state-dir", "", "folder for what is to outlive a restart while the API is away; without it nothing does")
}

// isNamespace reports whether s can be a namespace's name (RFC 1123).
var isNamespace = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`).MatchString

// Validate returns everything that is wrong.
func (o *Takeover) Validate() []error {
	var problems []error
	if o.Namespace != "" && !isNamespace(o.Namespace) {
		problems = append(problems, fmt.Errorf("--takeover-namespace %q: not a namespace's name: write it like %s", o.Namespace, DefaultTakeoverNamespace))
	}
	switch {
	case !slices.Contains([]string{RoleAuto, RoleBootstrap, RoleManagement}, o.Role):
		problems = append(problems, fmt.Errorf("--role %q: no such role: use %s, %s or %s", o.Role, RoleAuto, RoleBootstrap, RoleManagement))
	case o.Role != RoleAuto && !o.Enabled():
		problems = append(problems, fmt.Errorf("--role %s: has no effect without a takeover: give --takeover-namespace, or leave it out", o.Role))
	case o.Role == RoleManagement && o.ManagementKubeconfig != "":
		problems = append(problems, fmt.Errorf("--role %s: is not that of a process that follows the management cluster from outside: leave it or --management-kubeconfig out", o.Role))
	}
	return problems
}

// together returns what is wrong with where Hardware comes from.
func (o *Takeover) together(s *Source) []error {
	var problems []error
	if o.Namespace != "" && !s.Cluster() && o.ManagementKubeconfig == "" {
		problems = append(problems, fmt.Errorf("--takeover-namespace %q: has no effect on --hardware without a cluster: give --kubeconfig or --management-kubeconfig, or leave it out", o.Namespace))
	}
	if o.StateDir != "" && !s.Cluster() && !o.Enabled() {
		problems = append(problems, fmt.Errorf("--state-dir %q: has no effect on --hardware without a cluster: leave it out", o.StateDir))
	}
	return problems
}

// Enabled reports whether the advertised endpoint may change.
func (o *Takeover) Enabled() bool { return o.Namespace != "" || o.ManagementKubeconfig != "" }

// BatonNamespace returns the namespace of the baton.
func (o *Takeover) BatonNamespace() string {
	if o.Namespace == "" {
		return DefaultTakeoverNamespace
	}
	return o.Namespace
}

// ClusterRole returns what is said of the cluster's role. A process that follows the management cluster from outside is a
// bootstrap stack, unless the Takeover of its own cluster says otherwise.
func (o *Serve) ClusterRole() takeover.Role {
	switch o.Takeover.Role {
	case RoleBootstrap:
		return takeover.RoleBootstrap
	case RoleManagement:
		return takeover.RoleManagement
	}
	if o.Takeover.ManagementKubeconfig != "" && (o.Takeover.Namespace == "" || !o.Source.Cluster()) {
		return takeover.RoleBootstrap
	}
	return takeover.RoleUnknown
}
