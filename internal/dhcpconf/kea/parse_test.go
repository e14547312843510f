package kea

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

func TestCommentsIncludesAndPlaces(t *testing.T) {
	text := "# one\n{ // two\n /* three\n */ \"Dhcp4\": { <?include \"inner.json\"?>, \"after\": 1, } }\n"
	v, problems := Parse("main.json", text, from(map[string]string{"inner.json": "\n  \"valid-lifetime\": 7200, \"name\": \"a\\u0041#//\""}))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d := v.Get("Dhcp4")
	if got := d.Get("valid-lifetime").Pos.String(); got != "inner.json:2:21" {
		t.Errorf("place in the included file: %s", got)
	}
	if got := d.Str("name"); got != "aA#//" {
		t.Errorf("string: %q", got)
	}
	if got := d.Member("after").Pos.String(); got != "main.json:4:42" {
		t.Errorf("place after the include: %s", got)
	}
}

func TestWrongTextIsNamed(t *testing.T) {
	for text, place := range map[string]string{
		"":                             "x:1:1",
		"{":                            "x:1:2",
		`{"a" 1}`:                      "x:1:6",
		"{\n\"a\": \"b\n\"}":           "x:2:6",
		`{"a": /* }`:                   "x:1:7",
		`{} {}`:                        "x:1:4",
		`{"a": nope}`:                  "x:1:7",
		`{"a": 01}`:                    "x:1:7",
		`{"a": <?nope?>}`:              "x:1:7",
		`{"a": <?include "x"?>}`:       "x:1:7",
		`{"a": <?include "missing"?>}`: "x:1:7",
		`{"a": <?>}`:                   "x:1:7",
		`{"a": "\q"}`:                  "x:1:7",
		"{\"a\": \x00}":                "x:1:7",
	} {
		_, problems := Parse("x", text, from(nil))
		if len(problems) != 1 || problems[0].Pos.String() != place {
			t.Errorf("%q: %v; want one at %s", text, problems, place)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<18)} {
		if _, problems := Parse("x", text, nil); len(problems) != 1 {
			t.Errorf("%.10q...: %v", text, problems)
		}
	}
}

func TestReservationsTakeWhatStandsAround(t *testing.T) {
	v, problems := Parse("x", `{"Dhcp4": { "valid-lifetime": 7200, "option-data": [{"name": "domain-name", "data": "wide.example"}],
"client-classes": [{"name": "lease", "valid-lifetime": 600}],
"shared-networks": [{"name": "s", "option-data": [{"code": 6, "data": "9.9.9.9, 8.8.8.8"}], "subnet4": [{"subnet": "10.0.0.0/8",
 "option-data": [{"name": "routers", "data": "10.0.0.1"}],
 "reservations": [
 {"hw-address": "02:00:00:00:00:01", "ip-address": "10.0.0.9", "hostname": "a", "client-classes": ["lease"],
  "option-data": [{"code": 121, "csv-format": false, "data": "080a0A000002"}, {"code": 3, "csv-format": false, "data": "0A000003"}]},
 {"duid": "01:02", "ip-address": "10.0.0.10"},
 {"hw-address": "02:00:00:00:00:02", "ip-address": "banana"},
 {"hw-address": "02:00:00:00:00:03", "ip-address": "10.0.0.11", "option-data": [{"code": 200, "data": "x"}]}]}]}],
"reservations": [{"hw-address": "02:00:00:00:00:04", "ip-address": "10.0.0.12"}] }}`, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	hosts, left := Reservations(v)
	var got strings.Builder
	for _, h := range hosts {
		fmt.Fprintln(&got, h.MAC, h.Name, h.Address, h.Network.Prefix, h.Settings)
	}
	want := `02:00:00:00:00:01 a 10.0.0.9 10.0.0.0/8 {[10.0.0.3] [9.9.9.9 8.8.8.8] [] wide.example [{10.0.0.0/8 10.0.0.2}] 600}
02:00:00:00:00:03  10.0.0.11 10.0.0.0/8 {[10.0.0.1] [9.9.9.9 8.8.8.8] [] wide.example [] 7200}
02:00:00:00:00:04  10.0.0.12 10.0.0.0/8 {[10.0.0.1] [9.9.9.9 8.8.8.8] [] wide.example [] 7200}
`
	if got.String() != want {
		t.Errorf("got:\n%swant:\n%s", got.String(), want)
	}
	if len(left) != 3 {
		t.Errorf("left out: %v", left)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", `{"Dhcp4": {"subnet4": [{"subnet": "10.0.0.0/8", "reservations": [{"hw-address": "02:00:00:00:00:01", "ip-address": "10.0.0.9"}]}]}}`,
		`{"a": [1, 2,], # x` + "\n}", `<?include "a"?>`, `<?>`, `{"Dhcp4": {"option-data": [{"code": 121, "data": "zz"}], "client-classes": [null, 3]}}`,
		`{"Dhcp4": {"subnet4": null, "shared-networks": [{}], "reservations": [{"hw-address": "02:00:00:00:00:01", "option-data": [{"code": 121, "csv-format": false, "data": "20"}]}]}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, problems := Parse("x", text, func(string) (string, error) { return text, nil })
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Column < 1 || p.Text == "" {
				t.Fatalf("%q: a problem without a place: %+v", text, p)
			}
		}
		if v == nil && len(problems) == 0 {
			t.Fatalf("%q: nothing read and no problem", text)
		}
		hosts, _ := Reservations(v)
		for _, h := range hosts {
			if h.MAC.IsZero() && !strings.Contains(text, "00") {
				t.Fatalf("%q: a reservation without a MAC", text)
			}
		}
	})
}
