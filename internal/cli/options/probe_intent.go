package options

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/takeover"
)

// ProbeIntent is the endpoint that machines are meant to be told.
type ProbeIntent struct {
	NextServer         string
	TFTPPort, HTTPPort uint16
	ScriptPath         string
	BootFiles          string

	Endpoint boot.Endpoint // set by Validate

	flags *pflag.FlagSet
}

// intentFlags are the flags that say more about --next-server.
var intentFlags = []string{"tftp-port", "http-port", "script-path", "boot-files"}

// AddFlags defines the flags of o on f.
func (o *ProbeIntent) AddFlags(f *pflag.FlagSet) {
	o.flags = f
	f.StringVar(&o.NextServer, "next-server", "", "IPv4 address that machines are to be told to boot from; without it answers are printed and not judged")
	f.Uint16Var(&o.TFTPPort, "tftp-port", boot.DefaultTFTPPort, "UDP port of TFTP there; 0 for none")
	f.Uint16Var(&o.HTTPPort, "http-port", boot.DefaultHTTPPort, "TCP port of the script and of HTTP boot there; 0 for none")
	f.StringVar(&o.ScriptPath, "script-path", boot.DefaultScriptPath, "path of the iPXE script there")
	f.StringVar(&o.BootFiles, "boot-files", "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi",
		"first-stage binary of each family of machines, sorted")
}

// Given reports whether there is an intent.
func (o *ProbeIntent) Given() bool { return o.NextServer != "" }

// Validate returns everything that is wrong, and sets Endpoint.
func (o *ProbeIntent) Validate() []error {
	if !o.Given() {
		var problems []error
		for _, name := range intentFlags {
			if o.flags.Changed(name) {
				problems = append(problems, fmt.Errorf("--%s: has no effect without --next-server: give both or neither", name))
			}
		}
		return problems
	}
	addr, problem := address4("next-server", o.NextServer)
	if problem != nil {
		return []error{problem}
	}
	says := takeover.Endpoint{Addr: addr, TFTPPort: o.TFTPPort, HTTPPort: o.HTTPPort, BootFiles: o.BootFiles}
	if o.HTTPPort != 0 {
		says.ScriptPath = o.ScriptPath
	} else if o.flags.Changed("script-path") {
		return []error{errors.New("--script-path: has no effect with --http-port 0: leave one of the two out")}
	}
	endpoint, err := render.Endpoint(says)
	if err != nil {
		return []error{fmt.Errorf("--next-server: %w", err)}
	}
	o.Endpoint = endpoint
	return nil
}
