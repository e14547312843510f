package options

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/ipxe"
)

// DefaultIPXEDir is where Debian's ipxe package puts its binaries.
const DefaultIPXEDir = "/usr/lib/ipxe"

// Who may fetch a machine's script.
const (
	AccessAuto    = "auto"
	AccessMachine = "machine"
	AccessAnyone  = "anyone"
)

// Boot are the settings of what machines are told and given to boot.
type Boot struct {
	Advertise  string
	IPXEDir    string
	FirstFiles []string
	UserClass  string
	// ScriptAccess is one of the Access values.
	ScriptAccess string

	HookURL     string
	HookDir     string
	Verify      bool
	KernelArgs  []string
	TinkServer  string
	TinkTLS     bool
	TinkNoCheck bool
	Consoles    []string
	SyslogHost  string

	BootFiles     map[boot.Family]string // set by Validate: FirstFiles by family
	Args          []string               // set by Validate: KernelArgs, one argument each
	SyslogAddr    netip.Addr             // set by Validate when --syslog-host is given
	AdvertiseAddr netip.Addr             // set by Serve.Validate: what was given, else what was detected
}

// AddFlags defines the flags of o on f.
func (o *Boot) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Advertise, "advertise", "",
		"IPv4 address that machines are sent to (next-server) and that DHCP answers come from; detected when this host has only one")
	f.StringVar(&o.IPXEDir, "ipxe-dir", DefaultIPXEDir, "folder of the first-stage iPXE binaries")
	f.StringSliceVar(&o.FirstFiles, "boot-file", nil,
		"FAMILY=FILE: first file of --ipxe-dir that a family of machines is given, such as uefi-x86-64=snponly.efi (the firmware's own network driver) "+
			"or uefi-x86-64=shimx64.efi (Secure Boot); may be repeated. Families: "+families())
	f.StringVar(&o.UserClass, "ipxe-user-class", "", "user class (option 77) of your own iPXE that counts as Tinkerbell does")
	f.StringVar(&o.ScriptAccess, "script-access", AccessAuto,
		"who may fetch a machine's script: machine (from that Hardware's reserved addresses, or this host), anyone, or auto: machine with --dhcp=reservation, else anyone")
	f.StringVar(&o.HookURL, "hook-url", "", "URL of the folder with vmlinuz-ARCH and initramfs-ARCH; Hardware may name its own (osie.baseURL)")
	f.StringVar(&o.HookDir, "hook-dir", "", "folder with vmlinuz-ARCH and initramfs-ARCH, which is served by HTTP at /hook/ in the place of --hook-url")
	f.BoolVar(&o.Verify, "verify-images", false,
		"machines start kernel and initrd only with good signatures, which lie beside them as FILE.sig; their iPXE must have imgtrust and imgverify, which Debian's has not")
	f.StringArrayVar(&o.KernelArgs, "kernel-args", nil, "arguments added to every machine's kernel command line; may be repeated")
	f.StringArrayVar(&o.Consoles, "console", ipxe.DefaultConsoles(), "console of every machine's kernel, such as ttyS0,115200; may be repeated, the last one is init's")
	f.StringVar(&o.SyslogHost, "syslog-host", "", "IPv4 address that machines log to; the advertised address by default")
	f.StringVar(&o.TinkServer, "tink-server", "", "HOST:PORT of the Tink server (grpc_authority); the advertised address and port 42113 by default")
	f.BoolVar(&o.TinkTLS, "tink-tls", false, "machines speak TLS to the Tink server (tinkerbell_tls)")
	f.BoolVar(&o.TinkNoCheck, "tink-insecure-tls", false, "machines do not verify the Tink server's certificate (tinkerbell_insecure_tls)")
}

// Validate returns everything that is wrong, and sets AdvertiseAddr when it is given.
func (o *Boot) Validate() []error {
	var problems []error
	if o.Advertise != "" {
		addr, err := netip.ParseAddr(o.Advertise)
		switch {
		case err != nil || !addr.Is4():
			problems = append(problems, fmt.Errorf("--advertise %q: not an IPv4 address: write it like 192.168.2.112", o.Advertise))
		case addr.IsUnspecified() || addr.IsLoopback() || addr.IsMulticast():
			problems = append(problems, fmt.Errorf("--advertise %s: machines cannot reach it: give an address of the network they are on", addr))
		default:
			o.AdvertiseAddr = addr
		}
	}
	if o.IPXEDir == "" {
		problems = append(problems, fmt.Errorf("--ipxe-dir: empty: name the folder with the iPXE binaries"))
	}
	problems = append(problems, o.validateFiles()...)
	if len(o.UserClass) > 254 || strings.ContainsFunc(o.UserClass, notGraphic) {
		problems = append(problems, fmt.Errorf("--ipxe-user-class %q: must be at most 254 visible ASCII characters without spaces", o.UserClass))
	}
	if !slices.Contains([]string{AccessAuto, AccessMachine, AccessAnyone}, o.ScriptAccess) {
		problems = append(problems, fmt.Errorf("--script-access %q: no such word: use %s, %s or %s", o.ScriptAccess, AccessAuto, AccessMachine, AccessAnyone))
	}
	if o.SyslogHost != "" {
		addr, err := netip.ParseAddr(o.SyslogHost)
		if err != nil || !addr.Is4() {
			problems = append(problems, fmt.Errorf("--syslog-host %q: not an IPv4 address: write it like 192.168.2.112", o.SyslogHost))
		}
		o.SyslogAddr = addr
	}
	return append(problems, o.validateKernel()...)
}

// families lists what may stand before = in --boot-file.
func families() string {
	var names []string
	for _, f := range boot.Families() {
		names = append(names, f.String())
	}
	return strings.Join(names, ", ")
}

// validateFiles reads --boot-file. Whether the folder holds the files is seen once it is read.
func (o *Boot) validateFiles() []error {
	var problems []error
	o.BootFiles = map[boot.Family]string{}
	for _, pair := range o.FirstFiles {
		family, file, err := boot.ParseBinary(pair)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("--boot-file %w", err))
		case o.BootFiles[family] != "":
			problems = append(problems, fmt.Errorf("--boot-file %s: %s has %s already: leave one of the two out", pair, family, o.BootFiles[family]))
		default:
			o.BootFiles[family] = file
		}
	}
	return problems
}

func (o *Boot) validateKernel() []error {
	var problems []error
	if o.HookURL != "" {
		u, err := url.Parse(o.HookURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsFunc(o.HookURL, notGraphic) || strings.Contains(o.HookURL, "${") {
			problems = append(problems, fmt.Errorf("--hook-url %q: not an http or https URL: write it like http://192.168.2.112:8080/hook", o.HookURL))
		}
	}
	if o.HookURL != "" && o.HookDir != "" {
		problems = append(problems, fmt.Errorf("--hook-dir %q: --hook-url says already where kernel and initrd are: leave one of the two out", o.HookDir))
	}
	for _, console := range o.Consoles {
		if console == "" || strings.ContainsFunc(console, notGraphic) || strings.Contains(console, "${") {
			problems = append(problems, fmt.Errorf("--console %q: not a console: write it like ttyS0,115200", console))
		}
	}
	for _, args := range o.KernelArgs {
		for arg := range strings.FieldsSeq(args) {
			o.Args = append(o.Args, arg)
			if strings.ContainsFunc(arg, notGraphic) || strings.Contains(arg, "${") {
				problems = append(problems, fmt.Errorf("--kernel-args %q: an argument may hold visible ASCII characters only, and no ${", arg))
			}
		}
	}
	if o.TinkServer != "" {
		host, port, found := strings.Cut(o.TinkServer, ":")
		if _, err := ParseAddrPort("0.0.0.0:" + port); !found || host == "" || err != nil || strings.ContainsFunc(host, notHostname) {
			problems = append(problems, fmt.Errorf("--tink-server %q: not HOST:PORT: write it like 192.168.2.112:42113", o.TinkServer))
		}
	}
	if o.TinkNoCheck && !o.TinkTLS {
		problems = append(problems, fmt.Errorf("--tink-insecure-tls: has no effect without --tink-tls: give both or neither"))
	}
	return problems
}

func notGraphic(r rune) bool { return r <= ' ' || r > '~' }

func notHostname(r rune) bool {
	return !(r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
}
