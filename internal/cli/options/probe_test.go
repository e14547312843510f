package options

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/probe/offers"
)

func parseProbe(t *testing.T, args ...string) *Probe {
	t.Helper()
	o := &Probe{}
	f := pflag.NewFlagSet("probe", pflag.ContinueOnError)
	o.AddFlags(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestProbe(t *testing.T) {
	const mac = "--mac=52:54:00:00:00:01"
	for name, test := range map[string]struct {
		args []string
		says string // empty when the flags are right
	}{
		"interface":           {[]string{"-i=eth0", mac}, ""},
		"relay":               {[]string{"--relay=192.168.2.1", "--server=192.168.2.2", mac}, ""},
		"file":                {[]string{"-i=eth0", "--hardware=h.csv", "--next-server=192.168.2.112", "--first=0"}, ""},
		"no HTTP":             {[]string{"-i=eth0", mac, "--next-server=192.168.2.112", "--http-port=0"}, ""},
		"nowhere":             {[]string{mac}, "--interface: not given"},
		"both ways":           {[]string{"-i=eth0", "--relay=192.168.2.1", mac}, "leave one of the two ways out"},
		"relay, no server":    {[]string{"--relay=192.168.2.1", mac}, `--server ""`},
		"relay by IPv6":       {[]string{"--relay=::1", "--server=192.168.2.2", mac}, `--relay "::1"`},
		"nobody":              {[]string{"-i=eth0"}, "--mac: not given"},
		"no MAC":              {[]string{"-i=eth0", "--mac=junk"}, "--mac: "},
		"group MAC":           {[]string{"-i=eth0", "--mac=ff:ff:ff:ff:ff:ff"}, "no machine"},
		"first":               {[]string{"-i=eth0", mac, "--first=-1"}, "--first -1"},
		"arch":                {[]string{"-i=eth0", mac, "--arch=x86"}, `--arch "x86"`},
		"unknown arch":        {[]string{"-i=eth0", mac, "--arch=99"}, `--arch "99"`},
		"stage":               {[]string{"-i=eth0", mac, "--stage=grub"}, `--stage "grub"`},
		"expected server":     {[]string{"-i=eth0", mac, "--expect-server=dhcp1"}, `--expect-server "dhcp1"`},
		"window":              {[]string{"-i=eth0", mac, "--window=1ms"}, "--window 1ms"},
		"output":              {[]string{"-i=eth0", mac, "-o=yaml"}, `--output "yaml"`},
		"next-server":         {[]string{"-i=eth0", mac, "--next-server=none"}, `--next-server "none"`},
		"port without intent": {[]string{"-i=eth0", mac, "--http-port=80"}, "--http-port: has no effect"},
		"path without HTTP":   {[]string{"-i=eth0", mac, "--next-server=192.168.2.112", "--http-port=0", "--script-path=/a"}, "--script-path: has no effect"},
		"path":                {[]string{"-i=eth0", mac, "--next-server=192.168.2.112", "--script-path=a b"}, "script path"},
		"boot files":          {[]string{"-i=eth0", mac, "--next-server=192.168.2.112", "--boot-files=ipxe.efi"}, "boot files"},
		"old iPXE":            {[]string{"-i=eth0", mac, "--old-ipxe-gets-script"}, "--old-ipxe-gets-script: has no effect"},
	} {
		t.Run(name, func(t *testing.T) {
			err := parseProbe(t, test.args...).Validate()
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
}

func TestProbeFilters(t *testing.T) {
	o := parseProbe(t, "-i=eth0", "--mac=52:54:00:00:00:01", "--arch=7,16", "--stage=http,tinkerbell", "--next-server=192.168.2.112", "--expect-server=192.168.2.2,192.168.2.3")
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range offers.Kinds(o.Intent.Endpoint) {
		if o.Asks(k) {
			names = append(names, k.Name)
		}
	}
	if want := []string{"tinkerbell/7", "tinkerbell/7/rfc3004", "http-uefi-x86-64/16"}; !slices.Equal(names, want) {
		t.Errorf("asks as %q, want %q", names, want)
	}
	e := o.Intent.Endpoint
	if e.Addr != netip.MustParseAddr("192.168.2.112") || e.HTTPPort != boot.DefaultHTTPPort || e.Binaries.For(boot.FamilyX64) != "ipxe.efi" || len(o.Ask.Servers) != 2 {
		t.Errorf("endpoint %+v, servers %v", e, o.Ask.Servers)
	}
	o = parseProbe(t, "-i=eth0", "--mac=52:54:00:00:00:01", "--arch=all")
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, k := range offers.Kinds(boot.Endpoint{}) {
		if !o.Asks(k) {
			t.Errorf("does not ask as %s", k.Name)
		}
	}
}
