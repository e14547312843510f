package kea

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/rendertest"
)

// request is what the tests of classes look at: options by their number, and the classes that the client is in.
type request struct {
	options map[string]string
	classes map[string]bool
}

// requests are the clients of a rule: each architecture, the user class raw and with its length before it.
func requests(rule boot.Rule) []request {
	archs := rule.Archs
	if archs == nil {
		archs = []boot.Arch{boot.ArchBIOS, boot.ArchX64, boot.ArchARM64}
	}
	classes := []string{rule.Client.UserClass}
	if class := rule.Client.UserClass; class != "" {
		classes = append(classes, string(rune(len(class)))+class)
	}
	var all []request
	for _, arch := range archs {
		for _, class := range classes {
			all = append(all, request{options: map[string]string{
				"60": fmt.Sprintf("%s:Arch:%05d:UNDI:003016", rule.Client.VendorClass, arch), "77": class, "93": string([]byte{byte(arch >> 8), byte(arch)}),
			}})
		}
	}
	return all
}

// answer evaluates the classes as Kea does for a client with a reservation in the classes reserved: in their order, each
// option and fixed field from the first class that has it.
func answer(t *testing.T, c Config, q request, reserved ...string) map[string]string {
	t.Helper()
	q.classes = map[string]bool{"KNOWN": len(reserved) > 0}
	for _, name := range reserved {
		q.classes[name] = true
	}
	told := map[string]string{}
	tell := func(field, value string) {
		if told[field] == "" && value != "" {
			told[field] = value
		}
	}
	for _, class := range c.Classes {
		if class.Test != "" {
			rest, holds := q.or(t, class.Test)
			if rest != "" {
				t.Fatalf("%s: %q is left of %q", class.Name, rest, class.Test)
			}
			q.classes[class.Name] = holds
		}
		if !q.classes[class.Name] {
			continue
		}
		tell("next-server", class.NextServer)
		tell("server-hostname", class.ServerName)
		tell("boot-file-name", class.BootFile)
		for _, o := range class.Options {
			tell("option "+strconv.Itoa(int(o.Code)), fmt.Sprintf("%s %t", o.Data, o.AlwaysSend))
		}
	}
	return told
}

// or, and, term are Kea's grammar as far as it is rendered: each returns what is left of the text.
func (q request) or(t *testing.T, text string) (rest string, holds bool) {
	rest, holds = q.and(t, text)
	for after, more := strings.CutPrefix(rest, " or "); more; after, more = strings.CutPrefix(rest, " or ") {
		var right bool
		rest, right = q.and(t, after)
		holds = holds || right
	}
	return rest, holds
}

func (q request) and(t *testing.T, text string) (rest string, holds bool) {
	rest, holds = q.term(t, text)
	for after, more := strings.CutPrefix(rest, " and "); more; after, more = strings.CutPrefix(rest, " and ") {
		var right bool
		rest, right = q.term(t, after)
		holds = holds && right
	}
	return rest, holds
}

var (
	memberForm  = regexp.MustCompile(`^member\('([A-Za-z0-9-]+)'\)`)
	compareForm = regexp.MustCompile(`^(?:substring\(option\[(\d+)\]\.hex,0,(\d+)\)|option\[(\d+)\]\.hex) == (?:'([A-Za-z]+)'|0x([0-9a-f]+))`)
)

func (q request) term(t *testing.T, text string) (rest string, holds bool) {
	t.Helper()
	if after, not := strings.CutPrefix(text, "not "); not {
		rest, holds = q.term(t, after)
		return rest, !holds
	}
	if after, open := strings.CutPrefix(text, "("); open {
		rest, holds = q.or(t, after)
		rest, closed := strings.CutPrefix(rest, ")")
		if !closed {
			t.Fatalf("%q: no closing parenthesis", text)
		}
		return rest, holds
	}
	if m := memberForm.FindStringSubmatch(text); m != nil {
		return text[len(m[0]):], q.classes[m[1]]
	}
	m := compareForm.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%q: no term of a test", text)
	}
	is, want := q.options[m[1]+m[3]], m[4]
	if m[2] != "" {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		is = is[:min(n, len(is))]
	}
	if m[5] != "" {
		raw, err := hex.DecodeString(m[5])
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want = string(raw)
	}
	return text[len(m[0]):], is == want
}

// told is a decision in the words of answer.
func told(d boot.Decision) map[string]string {
	all := map[string]string{}
	if d.Action != boot.Boot || d.RaspberryPiMenu {
		return all
	}
	all["boot-file-name"], all["next-server"] = d.BootFile, d.NextServer.String()
	if d.ServerName != "" {
		all["server-hostname"] = d.ServerName
	}
	if d.VendorClass != boot.VendorOther {
		all["option 60"] = d.VendorClass.String() + " true"
	}
	return all
}

func mustMake(t *testing.T, w render.Wanted) Config {
	t.Helper()
	c, _, err := Make(w)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryKindOfClientIsToldWhatTheTableSays(t *testing.T) {
	whole := rendertest.Word("lab", "192.168.2.2")
	noHTTP, noTFTP, nothing := whole, whole, whole
	noHTTP.Says.HTTPPort, noHTTP.Says.ScriptPath = 0, ""
	noTFTP.Says.TFTPPort = 0
	nothing.Says.BootFiles = ""
	for name, word := range map[string]render.Word{"whole": whole, "no HTTP": noHTTP, "no TFTP": noTFTP, "no files": nothing} {
		c := mustMake(t, rendertest.Site(word, 0))
		e, err := word.Endpoint()
		if err != nil {
			t.Fatal(err)
		}
		var script boot.Decision
		for _, rule := range boot.Table(e) {
			if rule.Name == "ipxe" {
				script = rule.Decision
			}
			want := rule.Decision
			if strings.HasPrefix(rule.Name, "old-ipxe-") {
				want = script // Kea does not tell an old iPXE from another
			}
			for _, q := range requests(rule) {
				if diff := cmp.Diff(told(want), answer(t, c, q, "tugboot-lab", "tugboot-lab-lease-86400")); diff != "" {
					t.Errorf("%s, %s: %q (-table +rendered):\n%s", name, rule.Name, q.options, diff)
				}
				for whose, reserved := range map[string][]string{"without a reservation": nil, "of the operator": {"printers"}, "of another cluster": {"tugboot-edge"}} {
					if got := answer(t, c, q, reserved...); len(got) > 0 {
						t.Errorf("%s, %s: a client %s is told %q", name, rule.Name, whose, got)
					}
				}
				q.options["60"] = "MSFT 5.0"
				if got := answer(t, c, q, "tugboot-lab"); len(got) > 0 {
					t.Errorf("%s, %s: a client that does not boot from the network is told %q", name, rule.Name, got)
				}
			}
		}
	}
}

// Every rule of the word is a class of its name, in the same order.
func TestEveryRuleIsAClass(t *testing.T) {
	w := rendertest.Word("lab", "192.168.2.2")
	rules, err := w.Rules()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, rule := range rules {
		if !strings.HasPrefix(rule.Name, "old-ipxe-") {
			want = append(want, w.Prefix()+rule.Name)
		}
	}
	for _, class := range mustMake(t, rendertest.Site(w, 0)).Classes {
		if class.Test != "" {
			got = append(got, class.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-rules +classes):\n%s", diff)
	}
}

// A client that could be in two rules is in the first.
func TestNoClientIsInTwoRules(t *testing.T) {
	c := mustMake(t, site())
	for _, vendor := range []string{"PXEClient", "HTTPClient"} {
		for _, class := range []string{"", "Tinkerbell", "\x0aTinkerbell", "iPXE", "\x04iPXE"} {
			for arch := range 32 {
				q := request{options: map[string]string{"60": vendor, "77": class, "93": string([]byte{0, byte(arch)})}, classes: map[string]bool{"KNOWN": true, "tugboot-lab": true}}
				var in []string
				for _, rule := range c.Classes {
					if rule.Test == "" {
						continue
					}
					if _, q.classes[rule.Name] = q.or(t, rule.Test); q.classes[rule.Name] {
						in = append(in, rule.Name)
					}
				}
				if len(in) > 1 {
					t.Errorf("%s, user class %q, architecture %d is in %v", vendor, class, arch, in)
				}
			}
		}
	}
}

func TestALongerUserClassIsNotOurs(t *testing.T) {
	c := mustMake(t, site())
	for _, class := range []string{"TinkerbellX", "Tinkerbel", "\x0bTinkerbellX", "iPXEs"} {
		got := answer(t, c, request{options: map[string]string{"60": "PXEClient", "77": class, "93": "\x00\x07"}}, "tugboot-lab")
		if got["boot-file-name"] != "ipxe.efi" {
			t.Errorf("%q is told %v", class, got)
		}
	}
}
