package v1alpha1

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

func TestParseOverride(t *testing.T) {
	at := netip.MustParseAddr("192.168.2.60")
	for value, want := range map[string]Override{
		"192.168.2.60":                         {Addr: at},
		"http://192.168.2.60/auto.ipxe":        {Addr: at, HTTPPort: 80, ScriptPath: "/auto.ipxe"},
		"http://192.168.2.60:7171/auto.ipxe":   {Addr: at, HTTPPort: 7171, ScriptPath: "/auto.ipxe"},
		"HTTP://192.168.2.60:65535/a/b-c_d~.e": {Addr: at, HTTPPort: 65535, ScriptPath: "/a/b-c_d~.e"},
	} {
		got, err := ParseOverride(value)
		if err != nil || got != want || got.Complete() != (want.HTTPPort != 0) {
			t.Errorf("%s: %+v %v, want %+v", value, got, err, want)
		}
	}
}

func TestParseOverrideRefuses(t *testing.T) {
	for value, words := range map[string]string{
		"":                                            "neither an IPv4 address nor a URL",
		"bootstrap":                                   "neither an IPv4 address nor a URL",
		"192.168.2.060":                               "neither an IPv4 address nor a URL",
		" 192.168.2.60":                               "neither an IPv4 address nor a URL",
		"192.168.2.60:7171":                           "neither an IPv4 address nor a URL",
		"0.0.0.0":                                     "machines cannot be sent there",
		"0.1.2.3":                                     "machines cannot be sent there",
		"127.0.0.1":                                   "machines cannot be sent there",
		"169.254.1.1":                                 "machines cannot be sent there",
		"224.0.0.1":                                   "machines cannot be sent there",
		"255.255.255.255":                             "machines cannot be sent there",
		"fd00::1":                                     "machines cannot be sent there",
		"::ffff:192.168.2.60":                         "machines cannot be sent there",
		"http://127.0.0.1/auto.ipxe":                  "machines cannot be sent there",
		"http://[fd00::1]/auto.ipxe":                  "machines cannot be sent there",
		"https://192.168.2.60/auto.ipxe":              "begins with http://",
		"192.168.2.60/auto.ipxe":                      "begins with http://",
		"http:/auto.ipxe":                             "host must be an IPv4 address",
		"http://boot.example/auto.ipxe":               "host must be an IPv4 address",
		"http://user@192.168.2.60/auto.ipxe":          "no user, query or fragment",
		"http://192.168.2.60/auto.ipxe?":              "no user, query or fragment",
		"http://192.168.2.60/auto.ipxe#x":             "no user, query or fragment",
		"http://192.168.2.60":                         "path must be that of a script",
		"http://192.168.2.60/":                        "path must be that of a script",
		"http://192.168.2.60/${net0/mac}":             "path must be that of a script",
		"http://192.168.2.60/a%0ab":                   "path must be that of a script",
		"http://192.168.2.60/a b":                     "path must be that of a script",
		"http://192.168.2.60/a\nb":                    "begins with http://",
		"http://192.168.2.60:/auto.ipxe":              "port must be a number",
		"http://192.168.2.60:0/auto.ipxe":             "port must be a number",
		"http://192.168.2.60:65536/auto.ipxe":         "port must be a number",
		"http://192.168.2.60:x/auto.ipxe":             "begins with http://",
		"http://10.0.0.1/" + strings.Repeat("a", 512): "longer than 512 characters",
	} {
		if got, err := ParseOverride(value); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %+v %v, want an error with %q", value, got, err, words)
		}
	}
}

// FuzzParseOverride: what is accepted is safe to be sent to machines, and comes back from the text made of it.
func FuzzParseOverride(f *testing.F) {
	for _, seed := range []string{"192.168.2.60", "http://192.168.2.60:7171/auto.ipxe", "http://192.168.2.60/${x}", "http://[::1%25a]:1/x", "//1.2.3.4/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		o, err := ParseOverride(value)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q: the error has several lines: %q", value, err)
			}
			return
		}
		text := o.Addr.String()
		if o.Complete() {
			text = "http://" + text + ":" + strconv.Itoa(int(o.HTTPPort)) + o.ScriptPath
		}
		if again, err := ParseOverride(text); err != nil || again != o {
			t.Errorf("%q: %+v, again %+v %v", value, o, again, err)
		}
		if !o.Addr.Is4() || !o.Addr.IsGlobalUnicast() || strings.ContainsAny(o.ScriptPath, " \t\r\n\"'$%{}\\") {
			t.Errorf("%q: accepted as %+v", value, o)
		}
	})
}
