package options

import (
	"fmt"

	"github.com/spf13/pflag"
)

// maxRate is the highest limit that can be set: no host receives more packets a second.
const maxRate = 100_000_000

// Limits are how many packets a second are looked at; what comes above is dropped and counted.
type Limits struct {
	DHCPMachine, DHCPTotal int
	TFTPSource, TFTPTotal  int
}

// AddFlags defines the flags of o on f.
func (o *Limits) AddFlags(f *pflag.FlagSet) {
	f.IntVar(&o.DHCPMachine, "dhcp-machine-rate", 100, "DHCP packets a second that are looked at from one hardware address; twice as many at once")
	f.IntVar(&o.DHCPTotal, "dhcp-total-rate", 20_000,
		"DHCP packets a second that are looked at from all machines with a reservation together, twice as many at once; all others get a quarter of it")
	f.IntVar(&o.TFTPSource, "tftp-source-rate", 500, "TFTP requests a second that are looked at from one address; four times as many at once")
	f.IntVar(&o.TFTPTotal, "tftp-total-rate", 10_000,
		"TFTP requests a second that are looked at from the addresses of all machines with a reservation together, four times as many at once; all others get half of it")
}

// Validate returns everything that is wrong.
func (o *Limits) Validate() []error {
	var problems []error
	for _, f := range []struct {
		flag  string
		value int
	}{
		{"dhcp-machine-rate", o.DHCPMachine}, {"dhcp-total-rate", o.DHCPTotal}, {"tftp-source-rate", o.TFTPSource}, {"tftp-total-rate", o.TFTPTotal},
	} {
		if f.value < 1 || f.value > maxRate {
			problems = append(problems, fmt.Errorf("--%s %d: out of range: 1 to %d packets a second; leave it out for the default", f.flag, f.value, maxRate))
		}
	}
	return problems
}
