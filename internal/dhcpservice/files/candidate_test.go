package files

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
)

func TestOwnCheckRefusesBeforeTheDaemons(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) {
		o.Language.Check = func(name, _ string) error { return errors.New(name + ": line 3: bad") }
		o.Check = script("check", "")
	})
	s.refused(wanted(1, 1), dhcpservice.StageCheck, "tugboot-lab.group: line 3")
	if ran := s.ran(); ran != "" {
		t.Errorf("ran %q", ran)
	}
}

// includes looks for the files that a configuration names, as dhcpd does, and refuses the machine 10.9.0.12.
const includes = `
look() {
	for f in $(sed -n 's/^include "\(.*\)";$/\1/p' "$1"); do
		if ! test -f "$f"; then echo "$f: not there"; exit 1; fi
		if grep -n 10.9.0.12 "$f" > /dev/null; then printf '%s line 9:\n%s: bad\n' "$f" "$1"; exit 1; fi
		( look "$f" ) || exit 1
	done
}
look "$1"
`

func TestCheckerSeesWhatIsToBeWritten(t *testing.T) {
	main := ""
	s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) {
		dir := filepath.Dir(o.Folder)
		main = filepath.Join(dir, "live.conf") // its path begins as the folder's does
		operator := filepath.Join(dir, "operator.conf")
		put(t, main, "# /no/such/file\ninclude \""+operator+"\";\ninclude \""+o.Folder+"/tugboot-other.hosts\";\n")
		put(t, operator, "include \""+o.Folder+"/tugboot-lab.group\";\ninclude \""+main+"\";\n")
		o.Main, o.Check = main, append(script("check", strings.Replace(includes, `( look "$f" )`, `[ "$f" = "`+main+`" ] || ( look "$f" )`, 1)), "{main}")
	})
	s.apply(wanted(2, 1)) // the operator's line names a file that is not there yet
	failure := s.refused(wanted(3, 2), dhcpservice.StageCheck, filepath.Join(s.folder, "tugboot-lab.group")+" line 9", "operator.conf: bad", "put right")
	if strings.Contains(failure.Error(), ".check-") || strings.Contains(failure.Error(), ".copy-") {
		t.Errorf("error %q names a file that is gone", failure)
	}
	s.options.Main = main + ".gone"
	s.refused(wanted(2, 2), dhcpservice.StageCheck, "main configuration", main+".gone")
}

func TestCheckRemovesWhatAKilledOneLeft(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, _ func(string, string) []string) { o.Check = []string{"/bin/true"} })
	put(t, filepath.Join(s.folder, ".check-lab.123"), "")
	put(t, filepath.Join(s.folder, ".check-lab-2.123"), "")
	if err := s.Check(t.Context(), wanted(1, 1)); err != nil {
		t.Fatal(err)
	}
	if got := s.stands(); len(got) != 2 || got[".check-lab-2.123"] != "" {
		t.Errorf("folder holds %v; want another's two", got)
	}
	s.options.Check = []string{"/bin/false"}
	if err := s.Check(t.Context(), wanted(1, 1)); err == nil || len(s.stands()) != 2 {
		t.Errorf("%v, folder holds %v", err, s.stands())
	}
	if _, err := s.options.Language.Render(render.Wanted{}); err == nil {
		t.Error("a Wanted without a word was rendered")
	}
	failed(t, s.Check(t.Context(), render.Wanted{}), "mark")
}

func TestMovePath(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"/a/b":                          "/new",
		"include \"/a/b/c\"; x /a/b y":  "include \"/new/c\"; x /new y",
		"/a/bc /a/b.conf /a/b-1 /x/a/b": "/a/bc /a/b.conf /a/b-1 /x/a/b",
		"=/a/b,/a/b/a/b":                "=/new,/new/a/b",
	} {
		if got := movePath(text, "/a/b", "/new"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
