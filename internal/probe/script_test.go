package probe

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestProof(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		want   string // of the address; empty for none
	}{
		"argument of a kernel":          {"kernel http://a/vmlinuz quiet grpc_authority=192.168.2.50:42113 x=y", "192.168.2.50"},
		"line ends of both kinds":       {"kernel a \\\r\ngrpc_authority=192.168.2.50:42113\r\nboot\r\n", "192.168.2.50"},
		"over a continued line":         {"kernel a \\\n  syslog_host=192.168.2.112 \\\n  grpc_authority=192.168.2.50:42113 \\\n  b", "192.168.2.50"},
		"broken in the middle":          {"kernel a grpc_author\\\nity=192.168.\\\n2.50:42113", "192.168.2.50"},
		"another port":                  {"kernel a grpc_authority=192.168.2.50:1", "192.168.2.50"},
		"second command of a line":      {"isset x && kernel a grpc_authority=192.168.2.50:42113 || goto end", "192.168.2.50"},
		"arguments set later":           {"kernel a\nimgargs a grpc_authority=192.168.2.50:42113", "192.168.2.50"},
		"variable":                      {"set grpc_authority 192.168.2.50:42113\nkernel a grpc_authority=${grpc_authority}", "192.168.2.50"},
		"variable with a type":          {"set tink:string 192.168.2.50:42113\nkernel a grpc_authority=${tink}", "192.168.2.50"},
		"variable set below":            {"goto b\n:a\nkernel a grpc_authority=${t}\n:b\nset t 192.168.2.50:42113\ngoto a", "192.168.2.50"},
		"quotes around the argument":    {`kernel a "grpc_authority=192.168.2.50:42113"`, "192.168.2.50"},
		"quotes around the value":       {`kernel a grpc_authority="192.168.2.50:42113"`, "192.168.2.50"},
		"the same twice":                {"kernel a grpc_authority=192.168.2.50:42113\nkernel b grpc_authority=192.168.2.50:42113", "192.168.2.50"},
		"set to the same twice":         {"set t 192.168.2.50:42113\nset t 192.168.2.50:42113\nkernel a grpc_authority=${t}", "192.168.2.50"},
		"another server for the syslog": {"kernel a syslog_host=192.168.2.112 grpc_authority=192.168.2.50:42113", "192.168.2.50"},

		"nothing":                {"", ""},
		"space that is none":     {"kernel a\u00a0grpc_authority=192.168.2.50:42113", ""},
		"single quotes":          {"kernel a 'grpc_authority=192.168.2.50:42113'", ""},
		"echo":                   {"echo grpc_authority=192.168.2.50:42113", ""},
		"comment":                {"# kernel a grpc_authority=192.168.2.50:42113", ""},
		"comment after a kernel": {"kernel a # grpc_authority=192.168.2.50:42113", ""},
		"echo after a kernel":    {"kernel a && echo grpc_authority=192.168.2.50:42113", ""},
		"end of another word":    {"kernel a x_grpc_authority=192.168.2.50:42113", ""},
		"start of another word":  {"kernel a grpc_authority_x=192.168.2.50:42113", ""},
		"in a value":             {"kernel a b=grpc_authority=192.168.2.50:42113", ""},
		"in the URL":             {"kernel http://a/?grpc_authority=192.168.2.50:42113", ""},
		"in capitals":            {"kernel a GRPC_AUTHORITY=192.168.2.50:42113", ""},
		"variable alone":         {"set grpc_authority 192.168.2.50:42113\nkernel a", ""},
		"variable that is unset": {"kernel a grpc_authority=${next-server}:42113", ""},
		"variable of two words":  {"set t 192.168.2.50:42113 b\nkernel a grpc_authority=${t}", ""},
		"host name":              {"kernel a grpc_authority=tink.example:42113", ""},
		"no port":                {"kernel a grpc_authority=192.168.2.50", ""},
		"port 0":                 {"kernel a grpc_authority=192.168.2.50:0", ""},
		"port too large":         {"kernel a grpc_authority=192.168.2.50:65536", ""},
		"leading zero":           {"kernel a grpc_authority=192.168.002.50:42113", ""},
		"IPv6":                   {"kernel a grpc_authority=[2001:db8::1]:42113", ""},
		"mapped IPv4":            {"kernel a grpc_authority=[::ffff:192.168.2.50]:42113", ""},
		"unspecified":            {"kernel a grpc_authority=0.0.0.0:42113", ""},
		"empty":                  {"kernel a grpc_authority=", ""},
		"something behind it":    {"kernel a grpc_authority=192.168.2.50:42113,192.168.2.112:42113", ""},
	} {
		got, err := proof([]byte("#!ipxe\n" + test.script))
		if err != nil || got.IsValid() != (test.want != "") || test.want != "" && got != netip.MustParseAddr(test.want) {
			t.Errorf("%s: %s, %v, want %q", name, got, err, test.want)
		}
	}
}

func TestTwoTinkServersProveNothing(t *testing.T) {
	for _, script := range []string{
		"kernel a grpc_authority=192.168.2.50:42113 grpc_authority=192.168.2.112:42113",
		"kernel a grpc_authority=192.168.2.50:42113\nkernel b grpc_authority=192.168.2.112:42113",
		"kernel a grpc_authority=192.168.2.50:42113 grpc_authority=192.168.2.50:42114",
		"kernel a grpc_authority=192.168.2.50:42113 grpc_authority=tink.example:42113",
		"set t 192.168.2.50:42113\nset t 192.168.2.112:42113\nkernel a grpc_authority=${t}",
		"set t 192.168.2.50:42113\nset t 192.168.2.50:42113\nset t x\nkernel a grpc_authority=${t}",
	} {
		if got, err := proof([]byte("#!ipxe\n" + script)); err == nil || got.IsValid() || !strings.Contains(err.Error(), "two Tink servers") {
			t.Errorf("%q: %s, %v", script, got, err)
		}
	}
}

func TestWhatIsAScript(t *testing.T) {
	const line = "kernel a grpc_authority=192.168.2.50:42113\n"
	for text, want := range map[string]bool{
		"#!ipxe\n" + line: true, "#!ipxe \n" + line: true, "#!gpxe\r\n" + line: true, "#!ipxe": true,
		"": false, line: false, "#!ipxeX\n" + line: false, "\n#!ipxe\n" + line: false, " #!ipxe\n" + line: false, "<html>#!ipxe\n" + line: false, "#!/bin/sh\n" + line: false,
	} {
		if _, err := proof([]byte(text)); (err == nil) != want || err != nil && !errors.Is(err, errNoScript) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// ourScripts are those that Tugboot itself makes.
func ourScripts(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../ipxe/testdata/*.ipxe")
	if err != nil || len(names) == 0 {
		t.Fatalf("scripts %q, %v", names, err)
	}
	texts := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = text
	}
	return texts
}

func TestScriptsOfTugboot(t *testing.T) {
	for name, text := range ourScripts(t) {
		got, err := proof(text)
		named := bytes.Contains(text, []byte(" grpc_authority=192.168.2.112:42113 "))
		if err != nil || named && got != bootstrapIP || !named && got.IsValid() {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if got, err := proof(ourScripts(t)["default.ipxe"]); got != bootstrapIP {
		t.Errorf("default.ipxe names %s, %v", got, err)
	}
}

// FuzzProof: whatever a server sends, an address is only proven by a script that has it, and never by a text that is not
// run.
func FuzzProof(f *testing.F) {
	for _, text := range ourScripts(f) {
		f.Add(text)
	}
	f.Add([]byte(scriptOf(tinkerbellIP)))
	f.Add([]byte("#!ipxe\nset t 192.168.2.50:42113\nkernel a grpc_authority=${t} && ; || # \\\n"))
	f.Add([]byte("#!ipxe\nkernel \"grpc_authority=192.168.2.50:42113\" \\"))
	f.Add([]byte("#!ipxe\nkernel grpc_authority=\\"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := proof(text)
		if got.IsValid() {
			joined := strings.NewReplacer("\\\r\n", "", "\\\n", "").Replace(string(text))
			if err != nil || !got.Is4() || !isScript(text) || !strings.Contains(joined, got.String()+":") || !strings.Contains(joined, "grpc_authority=") {
				t.Fatalf("%s is not proven by %q (%v)", got, text, err)
			}
		}
		text = append(slices.Clone(text), "\n\n"...) // so that nothing continues what it ends with
		before, err := tinkServers(text)
		if err != nil {
			return
		}
		after, err := tinkServers(append(text, "# kernel grpc_authority=192.0.2.1:1\necho grpc_authority=192.0.2.1:1\nboot # grpc_authority=192.0.2.1:1\n"...))
		if err != nil || !slices.Equal(before, after) {
			t.Fatalf("%q became %q by what is not run (%v)", before, after, err)
		}
	})
}
