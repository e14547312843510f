package options

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// Source are the settings of where Hardware comes from.
type Source struct {
	Kubeconfig string
	Namespaces []string
	Hardware   string
}

// AddFlags defines the flags of o on f.
func (o *Source) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file of the cluster; the cluster this runs in by default")
	f.StringSliceVar(&o.Namespaces, "namespace", nil, "namespaces of the Hardware objects; all by default")
	f.StringVar(&o.Hardware, "hardware", "",
		"file or folder of hardware.csv or Hardware YAML, followed live: instead of a cluster, or with --kubeconfig until that cluster answers")
}

// Validate returns everything that is wrong.
func (o *Source) Validate() []error {
	if len(o.Namespaces) > 0 && !o.Cluster() {
		return []error{fmt.Errorf("--namespace %q: has no effect on --hardware without --kubeconfig: leave it out", o.Namespaces)}
	}
	return nil
}

// Cluster reports whether Hardware is read from a cluster.
func (o *Source) Cluster() bool { return o.Kubeconfig != "" || o.Hardware == "" }

// Serve are all settings of `tugboot serve`.
type Serve struct {
	Source   Source
	Boot     Boot
	DHCP     DHCP
	TFTP     TFTP
	HTTP     HTTP
	Syslog   Syslog
	Takeover Takeover
	Services DHCPServices
	Limits   Limits
	Process  Process
}

// AddFlags defines all flags on f.
func (o *Serve) AddFlags(f *pflag.FlagSet) {
	o.Source.AddFlags(f)
	o.Boot.AddFlags(f)
	o.DHCP.AddFlags(f)
	o.TFTP.AddFlags(f)
	o.HTTP.AddFlags(f)
	o.Syslog.AddFlags(f)
	o.Takeover.AddFlags(f)
	o.Services.AddFlags(f)
	o.Limits.AddFlags(f)
	o.Process.AddFlags(f)
}

// Validate returns one error that names everything wrong with any setting, or nil. Local are the addresses of this host,
// among which the advertised address is looked for when it is not given.
func (o *Serve) Validate(local []LocalAddress) error {
	undetected, wrong := o.Resolve(local)
	return errors.Join(undetected, wrong)
}

// Resolve is Validate for one who tells apart that no address to advertise was found on this host, which is no fault of the
// settings.
func (o *Serve) Resolve(local []LocalAddress) (undetected, wrong error) {
	var problems []error
	for _, validate := range []func() []error{
		o.Source.Validate, o.Boot.Validate, o.DHCP.Validate, o.TFTP.Validate, o.HTTP.Validate, o.Syslog.Validate, o.Takeover.Validate,
		o.Services.Validate, o.Limits.Validate, o.Process.Validate,
	} {
		problems = append(problems, validate()...)
	}
	problems = append(problems, o.DHCP.missing(local)...)
	if o.Boot.Advertise == "" {
		o.Boot.AdvertiseAddr, undetected = detect(local, o.DHCP.Interfaces)
	}
	return undetected, errors.Join(append(problems, o.together()...)...)
}

// together returns what is wrong only in combination.
func (o *Serve) together() []error {
	problems := append(o.Takeover.together(&o.Source), o.Services.together(&o.Source, &o.Takeover)...)
	if to := o.Boot.AdvertiseAddr; to.IsValid() {
		if o.TFTP.Listen != nil && o.DHCP.Enabled() && portFor(o.TFTP.Listen, to) != 69 {
			problems = append(problems, fmt.Errorf("--tftp %q: firmware asks %s on port 69 and cannot be told another: add %s:69, or use --tftp=off",
				o.TFTP.Addresses, to, to))
		}
		if o.HTTP.Advertise != AdvertiseNone && o.HTTP.ListenTLS != nil && portFor(o.HTTP.ListenTLS, to) == 0 {
			problems = append(problems, fmt.Errorf("--https %q: nothing listens at the advertised address %s: add %s%s", o.HTTP.HTTPSAddresses, to, to, defaultHTTPS))
		}
		if o.HTTP.Listen != nil && portFor(o.HTTP.Listen, to) == 0 {
			problems = append(problems, fmt.Errorf("--http %q: nothing listens at the advertised address %s: add %s:7171", o.HTTP.Addresses, to, to))
		}
	}
	if o.DHCP.AutoScript != "" && o.HTTP.Listen == nil {
		problems = append(problems, fmt.Errorf("--auto-script %q: has no effect with --http=off, for scripts are given by HTTP: leave one of the two out", o.DHCP.AutoScript))
	}
	if o.Boot.HookDir != "" && !o.HTTP.Served() {
		problems = append(problems, fmt.Errorf("--hook-dir %q: has no effect with --http=off, for kernel and initrd are given by HTTP: leave one of the two out", o.Boot.HookDir))
	}
	// What another stack serves by HTTPS nobody has seen, and the rules of an existing service are made from what was seen.
	if o.HTTP.Advertise != AdvertiseNone && (o.Takeover.Enabled() || o.Services.Namespace != "") {
		problems = append(problems, fmt.Errorf("--https-advertise %s: an advertised endpoint that is taken over or told to an existing DHCP service is one of HTTP: "+
			"leave it out, or --takeover-namespace and --dhcpservice-namespace", o.HTTP.Advertise))
	}
	if !o.DHCP.Enabled() && o.TFTP.Listen == nil && !o.HTTP.Served() && o.Syslog.Listen == nil {
		problems = append(problems, fmt.Errorf("--dhcp, --tftp, --http and --syslog are all off: nothing to serve: turn one on"))
	}
	return problems
}

// OnlyMachine reports whether a script is given to its own machine only. By default it is where this process gives the
// addresses itself: where another DHCP service may, or a NAT lies between, an address proves nothing.
func (o *Serve) OnlyMachine() bool {
	return o.Boot.ScriptAccess == AccessMachine || o.Boot.ScriptAccess == AccessAuto && o.DHCP.Reserves()
}

// Ports returns the TFTP and HTTP ports that machines find at the advertised address; 0 where a server is off.
func (o *Serve) Ports() (tftp, http uint16) {
	return portFor(o.TFTP.Listen, o.Boot.AdvertiseAddr), portFor(o.HTTP.Listen, o.Boot.AdvertiseAddr)
}

// HTTPSPort returns the port of HTTPS that machines are told; 0 where they are told none.
func (o *Serve) HTTPSPort() uint16 {
	if o.HTTP.Advertise == AdvertiseNone {
		return 0
	}
	return portFor(o.HTTP.ListenTLS, o.Boot.AdvertiseAddr)
}
