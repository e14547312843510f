package dnsmasq

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

func from(files map[string]string) dhcpconf.Reader {
	return func(name string) (string, error) {
		text, ok := files[name]
		switch {
		case !ok:
			return "", errors.New("no such file")
		case strings.HasSuffix(name, ".d"):
			return text, dhcpconf.ErrFolder
		}
		return text, nil
	}
}

func TestLinesAndFiles(t *testing.T) {
	options, problems := Parse("main", `# comment
  --port = 0   # behind
dhcp-option = tag:a , option:router , "a, \"b" , x#y
conf-dir=/conf.d,*.conf,.bak
dhcp-hostsfile=hosts
conf-file=main
conf-file=
broken="
`, from(map[string]string{
		"/conf.d": "a.conf\nb.bak\nc.conf~\n.d.conf\n#e.conf#\nf.txt\n", "/conf.d/a.conf": "expand-hosts", "hosts": "# x\n02:00:00:00:00:01,set:a,10.0.0.1\n",
	}))
	var got []string
	for _, o := range options {
		got = append(got, fmt.Sprintf("%s %s %q %v", o.Pos, o.Name, o.Fields, o.Live))
	}
	want := []string{
		`main:2:3 port ["0"] false`,
		`main:3:1 dhcp-option ["tag:a" "option:router" "a, \"b" "x#y"] false`,
		`main:4:1 conf-dir ["/conf.d" "*.conf" ".bak"] false`,
		`/conf.d/a.conf:1:1 expand-hosts [] false`,
		`main:5:1 dhcp-hostsfile ["hosts"] false`,
		`hosts:2:1 dhcp-host ["02:00:00:00:00:01" "set:a" "10.0.0.1"] true`,
		`main:6:1 conf-file ["main"] false`,
		`main:7:1 conf-file [] false`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var places []string
	for _, p := range problems {
		places = append(places, p.Pos.String())
	}
	if want := []string{"main:2:3", "main:6:1", "main:7:1", "main:8:1"}; !slices.Equal(places, want) {
		t.Errorf("problems: %v", problems)
	}
}

func TestReservationsTakeWhatStandsAround(t *testing.T) {
	options, problems := Parse("x", `dhcp-range=set:net1,192.168.2.0,static,255.255.255.0,2h
dhcp-range=10.0.0.10,10.0.0.20
domain=lab.example
dhcp-option=option:dns-server,9.9.9.9
dhcp-option=tag:net1,option:router,192.168.2.254
dhcp-option=tag:special,3,192.168.2.253
dhcp-option=tag:net1,tag:!special,121,10.0.0.0/8,192.168.2.1
dhcp-host=02:00:00:00:00:01,192.168.2.1,one,1h
dhcp-host=02:00:00:00:00:02,set:special,192.168.2.2,two,infinite
dhcp-host=02:00:00:00:00:03,02:00:00:00:00:04,192.168.2.3
dhcp-host=id:01:02,192.168.2.4
dhcp-host=02:00:00:00:00:05,ignore
dhcp-host=02:00:00:00:00:06,10.0.0.1
`, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	hosts, left := Reservations(options)
	var got strings.Builder
	for _, h := range hosts {
		fmt.Fprintln(&got, h.MAC, h.Name, h.Address, h.Network.Prefix, h.Settings)
	}
	want := `02:00:00:00:00:01 one 192.168.2.1 192.168.2.0/24 {[192.168.2.254] [9.9.9.9] [] lab.example [{10.0.0.0/8 192.168.2.1}] 3600}
02:00:00:00:00:02 two 192.168.2.2 192.168.2.0/24 {[192.168.2.253] [9.9.9.9] [] lab.example [] 4294967295}
02:00:00:00:00:03  192.168.2.3 192.168.2.0/24 {[192.168.2.254] [9.9.9.9] [] lab.example [{10.0.0.0/8 192.168.2.1}] 7200}
02:00:00:00:00:06  10.0.0.1 10.0.0.0/8 {[] [9.9.9.9] [] lab.example [] 0}
`
	if got.String() != want {
		t.Errorf("got:\n%swant:\n%s", got.String(), want)
	}
	if len(left) != 4 {
		t.Errorf("left out: %v", left)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "dhcp-range=0.0.0.0,static\ndhcp-host=02:00:00:00:00:01,10.0.0.1", "--dhcp-option=tag:!x,121,1", "a=\"\\", "conf-dir=x,*", "dhcp-range=interface:e,",
		"dhcp-host=[::1],*:*:*:*:*:*,id:*,1w", "conf-file=x\nconf-file=y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		options, _ := Parse("x", text, func(name string) (string, error) {
			if len(name)%2 == 0 {
				return text, dhcpconf.ErrFolder
			}
			return text, nil
		})
		for _, o := range options {
			if o.Pos.Line < 1 || o.Pos.Column < 1 || o.Name == "" {
				t.Fatalf("%q: an option without a place or a name: %+v", text, o)
			}
		}
		hosts, _ := Reservations(options)
		if len(hosts) > len(options) {
			t.Fatalf("%q: more reservations than lines", text)
		}
	})
}
