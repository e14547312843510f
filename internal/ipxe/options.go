package ipxe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// DefaultTinkPort is the port of Tinkerbell's gRPC service.
const DefaultTinkPort = 42113

// ProbeUserAgent is the user agent of Tugboot's own probes, which fetch a machine's script and are not the machine.
const ProbeUserAgent = "tugboot-probe"

// ScriptOptions are the site's part of auto.ipxe. A Hardware object may override the place of kernel and initrd.
type ScriptOptions struct {
	// HookURL is the base URL under which vmlinuz-<arch> and initramfs-<arch> are. Empty means the endpoint's own, of Images, and
	// without these that only machines whose Hardware names osie.baseURL get a script.
	HookURL string
	// Images are the kernels and initrds that are served here; nil for none.
	Images *Images
	// OnlyMachine gives a script to its own machine only, which asks from its reserved address.
	OnlyMachine bool
	// VerifyImages has machines start a kernel and an initrd only with a signature that their iPXE trusts, which lies beside
	// each under its name and ".sig".
	VerifyImages bool
	// KernelArgs are added to every machine's kernel command line, one argument each, before the Hardware's own.
	KernelArgs []string
	// TinkServer is the host:port of Tinkerbell's gRPC service; empty means port 42113 at the endpoint's address.
	TinkServer string
	// TinkTLS and TinkInsecureTLS become tinkerbell_tls and tinkerbell_insecure_tls.
	TinkTLS, TinkInsecureTLS bool
	// SyslogHost is the address that iPXE and the installer log to; the zero Addr means the endpoint's.
	SyslogHost netip.Addr
	// Consoles are the kernel's consoles, the last one that of init; nil means DefaultConsoles.
	Consoles []string
	// Unknown is the script for machines without a reservation; empty means that they are given none. See UnknownScript.
	Unknown string
}

// DefaultConsoles returns the consoles that HookOS expects: the screen, and the second serial port.
func DefaultConsoles() []string { return []string{"tty0", "ttyS1,115200"} }

// Validate names everything that is wrong with the options.
func (o ScriptOptions) Validate() error {
	var problems []error
	add := func(option, value, problem string) {
		if problem != "" {
			problems = append(problems, fmt.Errorf("%s %.80q: %s", option, value, problem))
		}
	}
	if o.HookURL != "" {
		add("hook URL", o.HookURL, checkURL(o.HookURL, true))
	}
	for _, arg := range o.KernelArgs {
		add("kernel argument", arg, checkArgument(arg))
	}
	for _, console := range o.Consoles {
		add("console", console, checkArgument(console))
	}
	if o.SyslogHost.IsValid() {
		add("syslog host", o.SyslogHost.String(), checkWord(o.SyslogHost.String())) // a zone may hold anything
	}
	add("unknown machines' script", "", checkUnknown(o.Unknown))
	if o.TinkServer != "" {
		add("Tinkerbell server", o.TinkServer, checkHostPort(o.TinkServer))
	}
	return errors.Join(problems...)
}

func checkArgument(value string) string {
	if value == "" {
		return "it is empty: leave it out"
	}
	return checkWord(value)
}

func checkHostPort(value string) string {
	if problem := checkWord(value); problem != "" {
		return problem
	}
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host == "" {
		return "it is not host:port: write it like 192.168.2.112:42113"
	}
	return ""
}
