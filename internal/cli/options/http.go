package options

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/spf13/pflag"

	"github.com/tugboot/tugboot/internal/server/httpd"
)

// What machines are told to fetch by HTTPS.
const (
	AdvertiseNone    = "none"
	AdvertiseScripts = "scripts"
	AdvertiseAll     = "all"
)

// defaultHTTPS is where HTTPS is served when there is a certificate and no word on it.
const defaultHTTPS = ":7443"

// HTTP are the settings of the HTTP and HTTPS server.
type HTTP struct {
	Addresses      []string
	HTTPSAddresses []string
	Cert, Key      string
	// Advertise is one of the Advertise values.
	Advertise string

	Connections, ConnectionsPerClient int // at a time, on each address
	Rate, RatePerClient               int // requests a second

	Listen, ListenTLS []netip.AddrPort // set by Validate
}

// AddFlags defines the flags of o on f.
func (o *HTTP) AddFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.Addresses, "http", []string{":7171"},
		"addresses of the HTTP server for scripts and binaries, or off; the first is the one that machines are sent to")
	f.StringVar(&o.Cert, "https-cert", "", "PEM file with the certificate, and what leads to its authority, with which the same is served by HTTPS; followed live")
	f.StringVar(&o.Key, "https-key", "", "PEM file with the key of --https-cert; followed live")
	f.StringSliceVar(&o.HTTPSAddresses, "https", nil, "addresses of the HTTPS server; "+defaultHTTPS+" when there is a certificate")
	f.StringVar(&o.Advertise, "https-advertise", AdvertiseNone,
		"what machines are told to fetch by HTTPS: none, scripts, or all (also what UEFI HTTP boot loads); their iPXE and firmware must trust the certificate")
	f.IntVar(&o.Connections, "http-connections", httpd.DefaultConnections, "HTTP connections that each address holds at a time; more wait")
	f.IntVar(&o.ConnectionsPerClient, "http-connections-per-client", httpd.DefaultConnectionsPerSource, "HTTP connections that one client address holds at a time; more are closed")
	f.IntVar(&o.Rate, "http-rate", httpd.DefaultTotalRate, "HTTP requests a second of all clients, and five times as many at once; more are answered with 429")
	f.IntVar(&o.RatePerClient, "http-rate-per-client", httpd.DefaultSourceRate, "the same of one client address; raise it where many machines are behind one address")
}

// Validate returns everything that is wrong, and sets Listen and ListenTLS.
func (o *HTTP) Validate() (problems []error) {
	o.Listen, problems = parseListen("http", o.Addresses)
	if (o.Cert == "") != (o.Key == "") {
		problems = append(problems, fmt.Errorf("--https-cert %q, --https-key %q: one without the other: give both or neither", o.Cert, o.Key))
	}
	if !slices.Contains([]string{AdvertiseNone, AdvertiseScripts, AdvertiseAll}, o.Advertise) {
		problems = append(problems, fmt.Errorf("--https-advertise %q: no such word: use %s, %s or %s", o.Advertise, AdvertiseNone, AdvertiseScripts, AdvertiseAll))
	}
	switch {
	case o.Cert != "":
		addresses := o.HTTPSAddresses
		if len(addresses) == 0 {
			addresses = []string{defaultHTTPS}
		}
		listen, wrong := parseListen("https", addresses)
		if o.ListenTLS = listen; listen == nil && wrong == nil {
			wrong = append(wrong, fmt.Errorf("--https off: leave --https-cert and --https-key out"))
		}
		problems = append(problems, wrong...)
	case len(o.HTTPSAddresses) > 0:
		problems = append(problems, fmt.Errorf("--https %q: there is no certificate: give --https-cert and --https-key", o.HTTPSAddresses))
	case o.Advertise != AdvertiseNone:
		problems = append(problems, fmt.Errorf("--https-advertise %s: HTTPS is not served: give --https-cert and --https-key", o.Advertise))
	}
	for _, l := range o.ListenTLS {
		if slices.Contains(o.Listen, l) {
			problems = append(problems, fmt.Errorf("--https %s: --http has it already: choose another port", l))
		}
	}
	return append(problems, o.validateLimits()...)
}

func (o *HTTP) validateLimits() []error {
	var problems []error
	for _, limit := range []struct {
		flag  string
		value int
	}{
		{"http-connections", o.Connections}, {"http-connections-per-client", o.ConnectionsPerClient},
		{"http-rate", o.Rate}, {"http-rate-per-client", o.RatePerClient},
	} {
		if limit.value < 1 || limit.value > 1_000_000 {
			problems = append(problems, fmt.Errorf("--%s %d: out of range: 1 to 1000000", limit.flag, limit.value))
		}
	}
	return problems
}

// Served reports whether anything is served, by HTTP or by HTTPS.
func (o *HTTP) Served() bool { return o.Listen != nil || o.ListenTLS != nil }
