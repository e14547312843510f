package options

import (
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/takeover"
)

const (
	files   = "--hardware=hardware.csv"
	follows = "--management-kubeconfig=/etc/management.kubeconfig"
	takes   = "--takeover-namespace=eksa-system"
)

func TestRoleAndNamespaceOfTheTakeover(t *testing.T) {
	for name, test := range map[string]struct {
		args    []string
		enabled bool
		role    takeover.Role
	}{
		"no takeover":                             {nil, false, takeover.RoleUnknown},
		"no takeover, kept over a restart":        {[]string{"--state-dir=/var/lib/tugboot"}, false, takeover.RoleUnknown},
		"in a cluster":                            {[]string{takes}, true, takeover.RoleUnknown},
		"in a cluster, bootstrap":                 {[]string{takes, "--role=bootstrap"}, true, takeover.RoleBootstrap},
		"in a cluster, management":                {[]string{takes, "--role=management"}, true, takeover.RoleManagement},
		"files, follows a cluster":                {[]string{files, follows}, true, takeover.RoleBootstrap},
		"files, follows a cluster, kept":          {[]string{files, follows, takes, "--state-dir=/var/lib/tugboot"}, true, takeover.RoleBootstrap},
		"a cluster, follows another":              {[]string{follows}, true, takeover.RoleBootstrap},
		"takes over in a cluster, follows other":  {[]string{takes, follows}, true, takeover.RoleUnknown},
		"files until a cluster answers":           {[]string{files, "--kubeconfig=k", takes}, true, takeover.RoleUnknown},
		"takes over, follows other, bootstrap it": {[]string{takes, follows, "--role=bootstrap"}, true, takeover.RoleBootstrap},
	} {
		t.Run(name, func(t *testing.T) {
			o := parse(t, test.args...)
			if err := o.Validate(oneAddress); err != nil {
				t.Fatal(err)
			}
			if o.Takeover.Enabled() != test.enabled || o.ClusterRole() != test.role || o.Takeover.BatonNamespace() != "eksa-system" {
				t.Errorf("enabled %v, role %v, namespace %q", o.Takeover.Enabled(), o.ClusterRole(), o.Takeover.BatonNamespace())
			}
		})
	}
}

func TestTakeoverSettingsThatContradict(t *testing.T) {
	for name, test := range map[string]struct {
		want string
		args []string
	}{
		"a role without a takeover":            {"--role bootstrap: has no effect", []string{"--role=bootstrap"}},
		"no such role":                         {`--role "boss": no such role`, []string{takes, "--role=boss"}},
		"management, looked at from outside":   {"--role management: is not that of", []string{follows, "--role=management"}},
		"a takeover without a cluster":         {`--takeover-namespace "eksa-system": has no effect`, []string{files, takes}},
		"state of files":                       {`--state-dir "/x": has no effect`, []string{files, "--state-dir=/x"}},
		"not a namespace":                      {`--takeover-namespace "-a": not a namespace`, []string{"--takeover-namespace=-a"}},
		"a namespace with an end to its line":  {`--takeover-namespace "a\n": not a namespace`, []string{"--takeover-namespace=a\n"}},
		"a namespace longer than one can be":   {"not a namespace", []string{"--takeover-namespace=" + strings.Repeat("a", 64)}},
		"a role, and no cluster to have it in": {"--role management: has no effect", []string{files, "--role=management"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := parse(t, test.args...).Validate(oneAddress)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "\n") != 0 {
				t.Errorf("error %v, want one line that says %q", err, test.want)
			}
		})
	}
}
