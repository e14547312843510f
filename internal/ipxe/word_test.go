package ipxe

import (
	"net/netip"
	"strings"
	"testing"
)

func TestCheckWord(t *testing.T) {
	for _, fine := range []string{"", "onprem", "52:54:00:12:34:56", "a=b,c;d&&e", "x#y", "$5", "a||b", "-x", "--", "{}", "'", "%20", "~"} {
		if problem := checkWord(fine); problem != "" {
			t.Errorf("%q is refused: %s", fine, problem)
		}
	}
	for value, says := range map[string]string{
		"a b": "space", "a\tb": "control", "a\nb": "line break", "a\r": "control", "a\x00b": "control", "a\x7f": "control",
		"a\x0bshell": "control", "a\x85b": "ASCII", "a\u00a0b": "ASCII", "a\u2028b": "ASCII", `a\`: "meaning", `a"b`: "meaning",
		"${ip}": "expansion", "a${": "expansion", "a$": "expansion", "#": "comment", "#a": "comment",
		"&&": "operator", "||": "operator", ";": "operator", strings.Repeat("a", maxValue+1): "long",
	} {
		if problem := checkWord(value); !strings.Contains(problem, says) {
			t.Errorf("%.20q: got %q, want it to say %q", value, problem, says)
		}
	}
}

func TestCheckURLAndFile(t *testing.T) {
	for _, fine := range []string{"http://192.168.2.112:8080/hook", "https://[fd00::1]/x", "tftp://192.168.2.112/x"} {
		if problem := checkURL(fine, true); problem != "" {
			t.Errorf("%q is refused: %s", fine, problem)
		}
	}
	if problem := checkURL("http://x/y?a=b#c", false); problem != "" {
		t.Errorf("a query in ipxe.url is refused: %s", problem)
	}
	for _, bad := range []string{"hook", "/hook", "http:///hook", "http://", "ftp://x/y", "file:///etc", "javascript:x", "http://x/y?a", "http://x/y?",
		"http://x/y#a", "http://x/y#", "http://x/ y", "http://x/\ny", "http://x/${ip}"} {
		if checkURL(bad, true) == "" {
			t.Errorf("the base URL %q is accepted", bad)
		}
	}
	for _, fine := range []string{"vmlinuz", "v1/vmlinuz", "vmlinuz?x=1"} {
		if problem := checkFile(fine); problem != "" {
			t.Errorf("%q is refused: %s", fine, problem)
		}
	}
	for _, bad := range []string{"/vmlinuz", "http://x/vmlinuz", "a b", "${x}"} {
		if checkFile(bad) == "" {
			t.Errorf("the file %q is accepted", bad)
		}
	}
}

func TestOptionsNameEverythingWrong(t *testing.T) {
	o := ScriptOptions{HookURL: "hook", KernelArgs: []string{"fine", "", "a b"}, Consoles: []string{"tty0\nshell"}, TinkServer: "tink",
		SyslogHost: netip.MustParseAddr("fe80::1%a b")}
	err := o.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`hook URL "hook"`, `kernel argument ""`, `kernel argument "a b"`, `console "tty0\nshell"`, `Tinkerbell server "tink"`, `syslog host "fe80::1%a b"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s:\n%v", want, err)
		}
	}
	if _, newErr := NewCatalog(nil, nil, nil, o, nil); newErr == nil || newErr.Error() != err.Error() {
		t.Errorf("NewCatalog says %v", newErr)
	}
	if err := (ScriptOptions{HookURL: "http://x/", TinkServer: "[fd00::1]:42113"}).Validate(); err != nil {
		t.Errorf("refused: %v", err)
	}
}
