package isc

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

// request are the options of one request that the rules look at.
type request map[string]string

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
			all = append(all, request{
				"vendor-class-identifier": fmt.Sprintf("%s:Arch:%05d:UNDI:003016", rule.Client.VendorClass, arch),
				"user-class":              class, "pxe-system-type": string([]byte{byte(arch >> 8), byte(arch)}),
			})
		}
	}
	return all
}

var (
	termForm      = regexp.MustCompile(`^substring\(option ([a-z-]+), 0, (\d+)\) = (.+)$`)
	statementForm = regexp.MustCompile(`(next-server|server-name|filename|option [a-z-]+)(?: =)? ([^;]+);`)
)

// answer evaluates the live file as dhcpd does: the statements of the first rule that a client matches.
func answer(t *testing.T, text string, c request) map[string]string {
	t.Helper()
	told := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case rulesForm.MatchString(line):
			if !holds(t, strings.TrimSuffix(strings.TrimPrefix(line, "  if "), " {"), c) {
				return told
			}
		case ruleForm.MatchString(line):
			condition, body, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(line, "    els"), "    "), " {")
			if holds(t, strings.TrimPrefix(condition, "if "), c) {
				for _, s := range statementForm.FindAllStringSubmatch(body, -1) {
					told[s[1]] = s[2]
				}
				return told
			}
		}
	}
	return told
}

func holds(t *testing.T, condition string, c request) bool {
	t.Helper()
	if left, right, ok := strings.Cut(condition, " and ("); ok {
		return holds(t, left, c) && holds(t, strings.TrimSuffix(right, ")"), c)
	}
	for term := range strings.SplitSeq(condition, " or ") {
		parts := termForm.FindStringSubmatch(term)
		if parts == nil {
			t.Fatalf("%q: no comparison", term)
		}
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		if has := c[parts[1]]; has[:min(n, len(has))] == literal(t, parts[3]) {
			return true
		}
	}
	return false
}

// literal is the value of a string or of bytes in hexadecimal.
func literal(t *testing.T, s string) string {
	t.Helper()
	if s[0] == '"' {
		text, err := strconv.Unquote(s) // Go's octal escapes are those of dhcpd
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return text
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return string(raw)
}

// told is a decision in the words of answer.
func told(d boot.Decision) map[string]string {
	if d.Action != boot.Boot || d.RaspberryPiMenu {
		return map[string]string{}
	}
	all := map[string]string{"filename": strconv.Quote(d.BootFile), "next-server": d.NextServer.String()}
	if d.ServerName != "" {
		all["server-name"] = strconv.Quote(d.ServerName)
	}
	if d.VendorClass != boot.VendorOther {
		all["option vendor-class-identifier"] = strconv.Quote(d.VendorClass.String())
		all["option dhcp-parameter-request-list"] = "concat(option dhcp-parameter-request-list, 3c)"
	}
	return all
}

func TestEveryKindOfClientIsToldWhatTheTableSays(t *testing.T) {
	whole := rendertest.Word("lab", "192.168.2.2")
	noHTTP, noTFTP, nothing := whole, whole, whole
	noHTTP.Says.HTTPPort, noHTTP.Says.ScriptPath = 0, ""
	noTFTP.Says.TFTPPort = 0
	nothing.Says.BootFiles = ""
	for name, word := range map[string]render.Word{"whole": whole, "no HTTP": noHTTP, "no TFTP": noTFTP, "no files": nothing} {
		text := room.Render.Must(t, rendertest.Site(word, 0)).Live[0].Text
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
				want = script // dhcpd does not tell an old iPXE from another
			}
			for _, c := range requests(rule) {
				if diff := cmp.Diff(told(want), answer(t, text, c)); diff != "" {
					t.Errorf("%s, %s: %q (-table +rendered):\n%s", name, rule.Name, c, diff)
				}
				c["vendor-class-identifier"] = "MSFT 5.0"
				if got := answer(t, text, c); len(got) > 0 {
					t.Errorf("%s, %s: a client that does not boot from the network is told %q", name, rule.Name, got)
				}
			}
		}
	}
}

func TestALongerUserClassIsNotOurs(t *testing.T) {
	text := room.Render.Must(t, site()).Live[0].Text
	for _, class := range []string{"TinkerbellX", "Tinkerbel", "\x0bTinkerbellX", "iPXEs"} {
		got := answer(t, text, request{"vendor-class-identifier": "PXEClient", "user-class": class, "pxe-system-type": "\x00\x07"})
		if got["filename"] != `"ipxe.efi"` {
			t.Errorf("%q is told %v", class, got)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"node1": `"node1"`, `a"b`: `"a\042b"`, `a\`: `"a\134"`, "a\nb": `"a\012b"`, "\xff1": `"\3771"`, "é": `"\303\251"`, "a;}#": `"a;}#"`,
		"": "", "a\x00": "", strings.Repeat("a", 256): "",
	} {
		got, ok := quote(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %s, %v, wanted %s", in, got, ok, want)
		}
	}
}
