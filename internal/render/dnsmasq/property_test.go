package dnsmasq

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
)

// hostile fills a machine with texts as no Hardware should have them.
func hostile(hostname, domain, other string, lease uint32) render.Wanted {
	w := site(word("lab", "192.168.2.2"), 0)
	for i, n := range w.Networks {
		for _, r := range n.Reservations {
			r.Hostname, r.DomainName, r.Lease = hostname, domain, max(lease, 1)
			r.Netboot.IPXEURL, r.Netboot.IPXEContents, r.Netboot.IPXEBinary = other, other, other
			r.Netboot.TFTPServerName, r.Netboot.BootFileName = other, other
			r.Routes = []reservation.Route{{Destination: netip.PrefixFrom(netip.MustParseAddr("172.16.0.0"), int(lease%33)), Router: netip.MustParseAddr("192.168.2.1")}}
		}
		w.Networks[i] = n
	}
	return w
}

// harmless fails when a text of w ends a line, or stands in one that the check refuses.
func harmless(t interface {
	Fatalf(format string, args ...any)
}, w render.Wanted) {
	out, err := Render(w)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, f := range out.Live {
		if err := Check(f.Name, f.Text); err != nil {
			t.Fatalf("%v\n%s", err, f.Text)
		}
		if f.Name == HostsName(w.Word) && strings.Count(f.Text, "\n") != 2+w.Reservations() {
			t.Fatalf("%d lines:\n%s", strings.Count(f.Text, "\n"), f.Text)
		}
	}
	for line := range strings.Lines(out.Whole) {
		if strings.ContainsFunc(line[:len(line)-1], func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q", line)
		}
	}
	if _, n, drift, drifts, err := Standing(live(out), w); n != w.Reservations() || drifts != 0 || err != nil {
		t.Fatalf("what was rendered stands as %d reservations with drift %q, error %v", n, drift, err)
	}
}

func TestAnyTextIsHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("ab1.-,\"\\#\n\r\t ;{}"))))
		harmless(t, hostile(text.Draw(t, "hostname"), text.Draw(t, "domain"), text.Draw(t, "other"), rapid.Uint32().Draw(t, "lease")))
	})
}

func FuzzTextIsHarmless(f *testing.F) {
	for _, s := range []string{"node1", "a.b", "12h", "a\nport=53", `a"b`, `a\`, "a,set:x", "a#b", "\x00", "é", strings.Repeat("a", 300)} {
		f.Add(s, s, uint32(86400))
	}
	f.Fuzz(func(t *testing.T, hostname, domain string, lease uint32) {
		harmless(t, hostile(hostname, domain, domain, lease))
	})
}

func FuzzCheckAndStandingTakeAnyFile(f *testing.F) {
	w := site(word("lab", "192.168.2.2"), 0)
	out, err := Render(w)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range out.Live {
		f.Add(file.Text)
		f.Add(file.Text[:len(file.Text)/2])
	}
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range out.Live {
			checked := Check(file.Name, text)
			files := live(out)
			files[file.Name] = text
			_, _, drift, drifts, err := Standing(files, w)
			if len(drift) > render.MaxDrift || len(drift) > drifts {
				t.Fatalf("%d sentences of %d", len(drift), drifts)
			}
			if text == file.Text && (checked != nil || drifts != 0 || err != nil) {
				t.Fatalf("check %v, drift %q, error %v", checked, drift, err)
			}
		}
	})
}
