package render

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/takeover"
)

func lab() Word {
	return Word{
		Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1764000000, Epoch: 3}, Identity: "8a4cf8c5"},
		Says: takeover.Endpoint{Addr: netip.MustParseAddr("192.168.2.50"), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/ipxe/script/auto.ipxe",
			BootFiles: "bios=undionly.kpxe uefi-x86-64=ipxe.efi"},
	}
}

func TestWordStandsOnOneLine(t *testing.T) {
	text, err := json.Marshal(lab())
	const want = `{"cluster":"lab","born":1764000000,"epoch":3,"identity":"8a4cf8c5","next-server":"192.168.2.50","tftp-port":69,"http-port":7171,` +
		`"script-path":"/ipxe/script/auto.ipxe","boot-files":"bios=undionly.kpxe uefi-x86-64=ipxe.efi"}`
	if err != nil || string(text) != want {
		t.Errorf("%v: %s\nwant %s", err, text, want)
	}
	header := lab().Header("#")
	if strings.Count(header, "\n") != 2 || !strings.HasPrefix(header, "# Written by Tugboot for the cluster lab.") {
		t.Errorf("header %q", header)
	}
	got, found, err := WordIn("rest\n"+header+"more\n", "#")
	if err != nil || !found || got != lab() {
		t.Errorf("read back %+v, %t, %v", got, found, err)
	}
	if _, found, err := WordIn("nothing of ours\n# tugboot\n", "#"); found || err != nil {
		t.Errorf("found %t, %v", found, err)
	}
	if _, found, err := WordIn("# tugboot-mark: {\n", "#"); !found || err == nil {
		t.Errorf("an unreadable mark: found %t, %v", found, err)
	}
}

func TestWordThatNobodyWroteIsRefused(t *testing.T) {
	for _, text := range []string{
		``, `{`, `[]`, `{"cluster":"lab","evil":1}`, `{"cluster":""}`, `{"cluster":"a b"}`, `{"cluster":"-a"}`, `{"cluster":"` + strings.Repeat("a", 64) + `"}`,
		`{"cluster":"lab","epoch":-1}`, `{"cluster":"lab","born":-1}`, `{"cluster":"lab","next-server":"fe80::1"}`, `{"cluster":"lab","next-server":"x"}`,
		`{"cluster":"lab","next-server":"10.0.0.1","http-port":80,"script-path":"/a\nb"}`,
		`{"cluster":"lab","next-server":"10.0.0.1","boot-files":"bios"}`, `{"cluster":"lab","tftp-port":70000}`, `{"cluster":"lab"} more`, `{"cluster":"lab"}{"cluster":"x"}`, `{"cluster":"a-"}`,
		`{"cluster":"lab","identity":"a\nb"}`, `{"cluster":"lab","identity":"ä"}`, `{"cluster":"lab","script-path":"/a\nb"}`,
	} {
		var w Word
		if err := w.UnmarshalJSON([]byte(text)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
		if w != (Word{}) {
			t.Errorf("%s: refused, and it is %+v", text, w)
		}
	}
}

func TestWordComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Word{Mark: takeover.Mark{
			Cluster:  rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?`).Draw(t, "cluster"),
			Fence:    takeover.Fence{Born: rapid.Int64Range(0, 1<<40).Draw(t, "born"), Epoch: rapid.Int64Range(0, 1<<50).Draw(t, "epoch")},
			Identity: rapid.StringMatching(`[-a-z0-9]{0,36}`).Draw(t, "identity"),
		}}
		if rapid.Bool().Draw(t, "says") {
			w.Says = lab().Says
			w.Says.Addr = netip.AddrFrom4([4]byte{10, 0, 0, rapid.ByteRange(1, 254).Draw(t, "addr")})
		}
		got, found, err := WordIn(w.Header("//"), "//")
		if err != nil || !found || got != w {
			t.Fatalf("%+v, %t, %v; want %+v", got, found, err, w)
		}
	})
}

// TestRulesAreThoseOfTheTable: in its order, but for what no existing service can give.
func TestRulesAreThoseOfTheTable(t *testing.T) {
	rules, err := lab().Rules()
	if err != nil {
		t.Fatal(err)
	}
	e, err := lab().Endpoint()
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for _, rule := range boot.Table(e) {
		if rule.Decision.Action != boot.Boot || rule.Decision.RaspberryPiMenu {
			continue
		}
		if i >= len(rules) || rules[i].Name != rule.Name || rules[i].Decision != rule.Decision {
			t.Fatalf("rule %d is not %s", i, rule.Name)
		}
		i++
	}
	if i != len(rules) || i < 5 {
		t.Errorf("%d rules, want %d", len(rules), i)
	}
	if rules, err := (Word{Mark: lab().Mark}).Rules(); err != nil || rules != nil {
		t.Errorf("nothing is told, and there are %d rules: %v", len(rules), err)
	}
}

func TestEndpointRefusesWhatCannotBeWritten(t *testing.T) {
	for says, spoil := range map[string]func(*takeover.Endpoint){
		"not IPv4":    func(e *takeover.Endpoint) { e.Addr = netip.MustParseAddr("fe80::1") },
		"script path": func(e *takeover.Endpoint) { e.ScriptPath = "/a b" },
		"boot files":  func(e *takeover.Endpoint) { e.BootFiles = "bios=../x y" },
	} {
		e := lab().Says
		spoil(&e)
		if _, err := Endpoint(e); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	for _, path := range []string{"", "x", "//x", "/a\"b", "/a'b", "/a\\b", "/a?b", "/a#b", "/a%41", "/ä", "/a\x00", "/" + strings.Repeat("a", 200)} {
		e := lab().Says
		e.ScriptPath = path
		if _, err := Endpoint(e); err == nil {
			t.Errorf("the path %q is taken", path)
		}
	}
	old := lab().Says
	old.HTTPPort, old.ScriptPath = 80, "/auto.ipxe"
	if e, err := Endpoint(old); err != nil || !e.BySource {
		t.Errorf("EKS Anywhere 0.19's endpoint: %+v, %v", e, err)
	}
}
