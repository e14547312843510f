package isc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

func from(files map[string]string) dhcpconf.Reader {
	return func(name string) (string, error) {
		text, ok := files[name]
		if !ok {
			return "", errors.New("no such file")
		}
		return text, nil
	}
}

func tree(list []*Statement, indent string) string {
	var out strings.Builder
	for _, s := range list {
		fmt.Fprintf(&out, "%s%s %s", indent, s.Pos, s.Rest(0))
		if s.Block {
			out.WriteString(" {\n" + tree(s.Inner, indent+"  ") + indent + "}")
		}
		out.WriteString("\n")
	}
	return out.String()
}

func TestTree(t *testing.T) {
	statements, problems := Parse("main", `option x code 250 = { text, array of integer 8 }; # comment
include "inner";
if option a = 00:07 or (exists b) {
  filename "a;\"}\x41\101";
} elsif not known { next-server 10.0.0.1; } else { deny booting; }
`, from(map[string]string{"inner": "host a { hardware ethernet 0:1:2:3:4:5; }"}))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := `main:1:1 option x code 250 = { text , array of integer 8 }
inner:1:1 host a {
  inner:1:10 hardware ethernet 0:1:2:3:4:5
}
main:3:1 if option a = 00:07 or ( exists b ) {
  main:4:3 filename a;"}AA
}
main:5:3 elsif not known {
  main:5:21 next-server 10.0.0.1
}
main:5:45 else {
  main:5:52 deny booting
}
`
	if got := tree(statements, ""); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestWrongTextIsNamed(t *testing.T) {
	for text, place := range map[string]string{
		"a":                       "x:1:1",
		"a { b; ":                 "x:1:3",
		"a; }":                    "x:1:4",
		"a { b }":                 "x:1:5",
		"\n filename \"a;":        "x:2:11",
		"include x;":              "x:1:1",
		`include "x";`:            "x:1:1",
		`include "missing";`:      "x:1:1",
		strings.Repeat("a{", 300): "x:1:402",
	} {
		_, problems := Parse("x", text, from(nil))
		if len(problems) == 0 || problems[0].Pos.String() != place {
			t.Errorf("%.40q: %v; want the first at %s", text, problems, place)
		}
	}
}

func TestReservationsTakeWhatStandsAround(t *testing.T) {
	statements, problems := Parse("x", `option routes code 121 = array of integer 8;
option domain-name "wide.example"; default-lease-time 7200; max-lease-time 3600;
shared-network s { option ntp-servers 10.0.0.4; subnet 10.0.0.0 netmask 255.0.0.0 { option routers 10.0.0.1; option domain-name-servers 9.9.9.9, 8.8.8.8; } }
group { option domain-name "group.example"; default-lease-time 100;
  host a { hardware ethernet 2:0:0:0:0:1; fixed-address 10.0.0.9; option host-name "one"; option routes 8, 10, 10,0,0,2; }
}
host b { hardware ethernet 02:00:00:00:00:02; fixed-address 10.0.0.10; option routers 10.0.0.3; option time-offset 1; }
host c { fixed-address 10.0.0.11; }
host d { hardware ethernet 02:00:00:00:00:04; fixed-address name.example; }
host e { hardware token-ring 02:00:00:00:00:04; }
`, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	hosts, left := Reservations(statements)
	var got strings.Builder
	for _, h := range hosts {
		fmt.Fprintln(&got, h.MAC, h.Name, h.Address, h.Network.Prefix, h.Settings)
	}
	want := `02:00:00:00:00:01 one 10.0.0.9 10.0.0.0/8 {[10.0.0.1] [9.9.9.9 8.8.8.8] [10.0.0.4] group.example [{10.0.0.0/8 10.0.0.2}] 100}
02:00:00:00:00:02 b 10.0.0.10 10.0.0.0/8 {[10.0.0.3] [9.9.9.9 8.8.8.8] [10.0.0.4] wide.example [] 3600}
`
	if got.String() != want {
		t.Errorf("got:\n%swant:\n%s", got.String(), want)
	}
	if len(left) != 4 {
		t.Errorf("left out: %v", left)
	}
}

func placed(list []*Statement) bool {
	for _, s := range list {
		if s.Pos.Line < 1 || s.Pos.Column < 1 || !placed(s.Inner) {
			return false
		}
	}
	return true
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a { b; } c;", `x "\`, `"\x4`, "option a code 1 = { a { b } };", `include "y";`, "host a { hardware ethernet 1:2:3:4:5:6; fixed-address 1.2.3.4; }",
		"option r code 121 = x; host a { option r 8,,1; hardware ethernet; fixed-address; }", "subnet", "else", "if",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, problems := Parse("x", text, func(string) (string, error) { return text, nil })
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Column < 1 || p.Text == "" {
				t.Fatalf("%q: a problem without a place: %+v", text, p)
			}
		}
		if !placed(statements) {
			t.Fatalf("%q: a statement without a place", text)
		}
		Networks(statements)
		Reservations(statements)
	})
}
