package options

import (
	"fmt"

	"github.com/spf13/pflag"
)

// Doctor are the settings of `tugboot doctor`: those of `tugboot serve`, which it looks after, and how it says what it found.
type Doctor struct {
	Serve  Serve
	Output string
}

// AddFlags defines all flags on f.
func (o *Doctor) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.Output, "output", "o", "text", "form of the findings: text or json")
	o.Serve.AddFlags(f)
}

// Resolve returns everything that is wrong with the settings, and apart that no address to advertise was found.
func (o *Doctor) Resolve(local []LocalAddress) (undetected, wrong error) {
	if o.Output != "text" && o.Output != "json" {
		return nil, fmt.Errorf("--output %q: not known: give text or json", o.Output)
	}
	return o.Serve.Resolve(local)
}
