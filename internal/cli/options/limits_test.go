package options

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/server/dhcpd"
	"github.com/tugboot/tugboot/internal/server/tftpd"
)

func parseLimits(t *testing.T, args ...string) *Limits {
	t.Helper()
	o, f := &Limits{}, pflag.NewFlagSet("serve", pflag.ContinueOnError)
	o.AddFlags(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestLimitsDefaultToTheServers(t *testing.T) {
	o := parseLimits(t)
	if *o != (Limits{dhcpd.DefaultMachineRate, dhcpd.DefaultTotalRate, tftpd.DefaultSourceRate, tftpd.DefaultTotalRate}) || o.Validate() != nil {
		t.Errorf("%+v, %v", o, o.Validate())
	}
}

func TestLimitsOutOfRange(t *testing.T) {
	for _, flag := range []string{"dhcp-machine-rate", "dhcp-total-rate", "tftp-source-rate", "tftp-total-rate"} {
		for _, value := range []string{"0", "-1", "100000001"} {
			problems := parseLimits(t, "--"+flag+"="+value).Validate()
			if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), "--"+flag+" "+value+": out of range") {
				t.Errorf("--%s=%s: %v", flag, value, problems)
			}
		}
		if problems := parseLimits(t, "--"+flag+"=1").Validate(); problems != nil {
			t.Errorf("--%s=1: %v", flag, problems)
		}
	}
}
