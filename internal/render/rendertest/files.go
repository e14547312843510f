package rendertest

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// Files is a renderer whose text is live files.
type Files struct {
	Render   Renderer
	Check    func(name, text string) error
	Standing func(map[string]string, render.Wanted) (render.Word, int, []string, int, error)
	// Hosts counts the machines in a file; false for a file that holds none.
	Hosts func(render.File, render.Wanted) (int, bool)
}

// Live returns the live files by name.
func Live(out render.Output) map[string]string {
	files := map[string]string{}
	for _, f := range out.Live {
		files[f.Name] = f.Text
	}
	return files
}

// Edit replaces old in the live file that holds it.
func Edit(t *testing.T, files map[string]string, old, with string) {
	t.Helper()
	for name, text := range files {
		if strings.Contains(text, old) {
			files[name] = strings.Replace(text, old, with, 1)
			return
		}
	}
	t.Fatalf("no file holds %q", old)
}

// CheckAll checks each of the files.
func (f Files) CheckAll(files map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := f.Check(name, files[name]); err != nil {
			return err
		}
	}
	return nil
}

// PassAndStand shows that what is rendered passes the check, and that it stands as what it was rendered from.
func (f Files) PassAndStand(t *testing.T) {
	w := Site(Word("lab", "192.168.2.2"), 0)
	out := f.Render.Must(t, w)
	for _, file := range out.Live {
		if err := f.Check(file.Name, file.Text); err != nil {
			t.Error(err)
		}
		if err := f.Check("other-"+file.Name, file.Text); err == nil {
			t.Errorf("%s passes under another name", file.Name)
		}
	}
	got, n, drift, drifts, err := f.Standing(Live(out), w)
	if got != w.Word || n != 3 || drift != nil || drifts != 0 || err != nil {
		t.Errorf("standing %v, %d reservations, drift %q (%d), error %v", got, n, drift, drifts, err)
	}
	higher := w
	higher.Word.Mark.Fence.Epoch++
	if got, _, drift, drifts, err = f.Standing(Live(out), higher); got != w.Word || drifts != 0 || err != nil {
		t.Errorf("another epoch alone: %v, drift %q, error %v", got, drift, err)
	}
	if got, n, _, drifts, err = f.Standing(nil, w); got != (render.Word{}) || n != 0 || drifts != len(out.Live) || err != nil {
		t.Errorf("no files: %v, %d reservations, %d drifts, error %v", got, n, drifts, err)
	}
	for name := range Live(out) {
		foreign := Live(out)
		foreign[name] = strings.ReplaceAll(foreign[name], `"cluster":"lab"`, `"cluster":"edge"`)
		if _, _, _, _, err := f.Standing(foreign, w); err == nil {
			t.Errorf("%s with another cluster's mark is taken for ours", name)
		}
		if _, _, _, _, err := f.Standing(map[string]string{name: ""}, w); err == nil {
			t.Errorf("%s without a mark is taken for ours", name)
		}
	}
}

// Hostile fills a machine with texts as no Hardware should have them.
func Hostile(hostname, domain, other string, lease uint32) render.Wanted {
	w := Site(Word("lab", "192.168.2.2"), 0)
	for _, n := range w.Networks {
		for _, r := range n.Reservations {
			r.Hostname, r.DomainName, r.Lease = hostname, domain, max(lease, 1)
			r.Netboot.IPXEURL, r.Netboot.IPXEContents, r.Netboot.IPXEBinary = other, other, other
			r.Netboot.TFTPServerName, r.Netboot.BootFileName = other, other
			r.Routes = []reservation.Route{{Destination: netip.PrefixFrom(netip.MustParseAddr("172.16.0.0"), int(lease%33)), Router: netip.MustParseAddr("192.168.2.1")}}
		}
	}
	return w
}

// harmless fails when a text of w ends a line, or stands in one that the check refuses.
func (f Files) harmless(t interface {
	Fatalf(format string, args ...any)
}, w render.Wanted) {
	out, err := f.Render(w)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, file := range out.Live {
		if err := f.Check(file.Name, file.Text); err != nil {
			t.Fatalf("%v\n%s", err, file.Text)
		}
		if n, of := f.Hosts(file, w); of && n != w.Reservations() {
			t.Fatalf("%d machines:\n%s", n, file.Text)
		}
	}
	for line := range strings.Lines(out.Whole) {
		if strings.ContainsFunc(line[:len(line)-1], func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q", line)
		}
	}
	if _, n, drift, drifts, err := f.Standing(Live(out), w); n != w.Reservations() || drifts != 0 || err != nil {
		t.Fatalf("what was rendered stands as %d reservations with drift %q, error %v", n, drift, err)
	}
}

// AnyTextIsHarmless draws texts that no Hardware should have.
func (f Files) AnyTextIsHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("ab1.-,\"\\#\n\r\t ;{}"))))
		f.harmless(t, Hostile(text.Draw(t, "hostname"), text.Draw(t, "domain"), text.Draw(t, "other"), rapid.Uint32().Draw(t, "lease")))
	})
}

// FuzzTextIsHarmless does so from seeds.
func (f Files) FuzzTextIsHarmless(fuzz *testing.F) {
	for _, s := range []string{"node1", "a.b", "12h", "a\nport=53", `a"b`, `a\`, "a,set:x", "a#b", "\x00", "é", strings.Repeat("a", 300)} {
		fuzz.Add(s, s, uint32(86400))
	}
	fuzz.Fuzz(func(t *testing.T, hostname, domain string, lease uint32) {
		f.harmless(t, Hostile(hostname, domain, domain, lease))
	})
}

// FuzzAnyFile shows that the check and the comparison take any file.
func (f Files) FuzzAnyFile(fuzz *testing.F) {
	w := Site(Word("lab", "192.168.2.2"), 0)
	out, err := f.Render(w)
	if err != nil {
		fuzz.Fatal(err)
	}
	for _, file := range out.Live {
		fuzz.Add(file.Text)
		fuzz.Add(file.Text[:len(file.Text)/2])
	}
	fuzz.Add("")
	fuzz.Fuzz(func(t *testing.T, text string) {
		for _, file := range out.Live {
			checked := f.Check(file.Name, text)
			files := Live(out)
			files[file.Name] = text
			_, _, drift, drifts, err := f.Standing(files, w)
			if len(drift) > render.MaxDrift || len(drift) > drifts {
				t.Fatalf("%d sentences of %d", len(drift), drifts)
			}
			if text == file.Text && (checked != nil || drifts != 0 || err != nil) {
				t.Fatalf("check %v, drift %q, error %v", checked, drift, err)
			}
		}
	})
}
