package files

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
)

// wanted is n machines of the cluster lab in 10.9.0.0/24.
func wanted(n int, epoch int64) render.Wanted {
	w := render.Wanted{
		Word: render.Word{
			Mark: takeover.Mark{Cluster: "lab", Fence: takeover.Fence{Born: 1_700_000_000, Epoch: epoch}},
			Says: takeover.Endpoint{Addr: netip.MustParseAddr("10.9.0.2"), TFTPPort: 69, HTTPPort: 7171, ScriptPath: "/auto.ipxe", BootFiles: "uefi-x86-64=ipxe.efi"},
		},
		Networks: []render.Network{{Prefix: netip.MustParsePrefix("10.9.0.0/24")}},
	}
	for i := range byte(n) {
		w.Networks[0].Reservations = append(w.Networks[0].Reservations, &reservation.Reservation{
			Source: reservation.Source{Name: "node"}, MAC: reservation.MAC{2, 0, 0, 0, 0, i + 1}, Address: reservation.PrefixOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, 10 + i}), 24)), Hostname: fmt.Sprintf("node%d", i),
			Settings: &reservation.Settings{Lease: reservation.DefaultLease, Netboot: reservation.Netboot{Allow: true}},
		})
	}
	return w
}

// site is a driver whose commands write their name into a log, beside a folder of live files with one of another cluster's.
type site struct {
	*Driver
	t           *testing.T
	folder, log string
}

func languages() map[string]Language {
	return map[string]Language{"dnsmasq": Dnsmasq(), "isc": ISC()}
}

func newSite(t *testing.T, l Language, change func(*Options, func(name, body string) []string)) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, folder: filepath.Join(dir, "live"), log: filepath.Join(dir, "log")}
	if err := os.Mkdir(s.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(s.folder, "tugboot-other.hosts"), "another's\n")
	script := func(name, body string) []string {
		path := filepath.Join(dir, name)
		put(t, path, "live='"+s.folder+"'\necho "+name+" >> '"+s.log+"'\n"+body+"\n")
		return []string{"/bin/sh", path}
	}
	o := Options{Language: l, Folder: s.folder, Reload: script("reload", ""), Alive: script("alive", ""), Timeout: 10 * time.Second}
	if change != nil {
		change(&o, script)
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	d.patience, d.pause = 100*time.Millisecond, time.Millisecond
	s.Driver = d
	return s
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// stands returns the files in the folder, and ran the commands that ran since it was asked last.
func (s *site) stands() map[string]string {
	s.t.Helper()
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(s.folder, e.Name()))
		if err != nil {
			s.t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

func (s *site) ran() string {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	if err := os.RemoveAll(s.log); err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func (s *site) apply(want render.Wanted) {
	s.t.Helper()
	got, err := dhcpservice.Apply(s.t.Context(), s, want, nil)
	if err != nil || got.Word != want.Word || got.Reservations != want.Reservations() || got.Drifts != 0 {
		s.t.Fatalf("applied: %+v, %v", got, err)
	}
}

// refused applies want, which must fail at stage with words in its error, and leave the files as they are.
func (s *site) refused(want render.Wanted, stage dhcpservice.Stage, words ...string) *dhcpservice.Failure {
	s.t.Helper()
	before := s.stands()
	_, err := dhcpservice.Apply(s.t.Context(), s, want, nil)
	var failure *dhcpservice.Failure
	if !errors.As(err, &failure) || failure.Stage != stage {
		s.t.Fatalf("error %v; want one at %s", err, stage)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			s.t.Errorf("error %q; want %q in it", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		s.t.Errorf("error %q: more than one line", err)
	}
	if diff := cmp.Diff(before, s.stands()); diff != "" {
		s.t.Errorf("files changed:\n%s", diff)
	}
	return failure
}

func TestApply(t *testing.T) {
	for name, l := range languages() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, l, func(o *Options, script func(string, string) []string) { o.Check = script("check", "") })
			got, err := s.Read(t.Context(), wanted(2, 1))
			if err != nil || got.Present() || got.Drifts == 0 {
				t.Errorf("an empty folder: %+v, %v", got, err)
			}
			s.apply(wanted(2, 1))
			if ran := s.ran(); ran != "check reload alive alive" {
				t.Errorf("ran %q", ran)
			}
			got, err = s.Read(t.Context(), wanted(3, 1))
			if err != nil || got.Reservations != 2 || got.Drifts == 0 {
				t.Errorf("one machine more is wanted: %+v, %v", got, err)
			}
			s.apply(wanted(3, 2))
			if s.stands()["tugboot-other.hosts"] != "another's\n" {
				t.Error("another cluster's file was changed")
			}
			s.refused(wanted(3, 1), dhcpservice.StageRead, "epoch 2")
		})
	}
}

func TestHandEditIsDriftAndPutRight(t *testing.T) {
	for name, l := range languages() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, l, nil)
			s.apply(wanted(2, 1))
			for file, text := range s.stands() {
				put(t, filepath.Join(s.folder, file), strings.Replace(text, "10.9.0.11", "10.9.0.99", 1))
			}
			got, err := s.Read(t.Context(), wanted(2, 1))
			if err != nil || got.Drifts == 0 || !strings.Contains(strings.Join(got.Drift, " "), "10.9.0.99") {
				t.Errorf("edited: %+v, %v", got, err)
			}
			s.apply(wanted(2, 1))
		})
	}
}

func TestReloadFailsAndTheOldFilesAreReadAgain(t *testing.T) {
	for name, l := range languages() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, l, func(o *Options, script func(string, string) []string) {
				o.Reload = script("reload", `if grep -q 10.9.0.12 "$live"/tugboot-lab.*; then printf 'no\nway\n' >&2; exit 3; fi`)
			})
			failure := s.refused(wanted(3, 1), dhcpservice.StageWrite, `no\nway`, "exit status 3")
			if !failure.Restored || len(s.stands()) != 1 {
				t.Errorf("restored %v, %v; files %v", failure.Restored, failure.Unrestored, s.stands())
			}
			s.apply(wanted(2, 1))
			s.ran()
			if failure := s.refused(wanted(3, 2), dhcpservice.StageWrite, "put back"); !failure.Restored {
				t.Errorf("not restored: %v", failure.Unrestored)
			}
			if ran := s.ran(); ran != "reload reload alive alive" {
				t.Errorf("ran %q", ran)
			}
		})
	}
}

func TestDaemonDeadAfterReload(t *testing.T) {
	for name, l := range languages() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, l, func(o *Options, script func(string, string) []string) {
				o.Alive = script("alive", `! grep -q 10.9.0.12 "$live"/tugboot-lab.*`)
			})
			s.apply(wanted(2, 1))
			if failure := s.refused(wanted(3, 2), dhcpservice.StageWrite, "the daemon died on reload"); !failure.Restored {
				t.Errorf("not restored: %v", failure.Unrestored)
			}
		})
	}
}

func TestDaemonThatDiesAMomentAfterReload(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) {
		o.Alive = script("alive", `test "$(grep -c alive "$live/../log")" -eq 1`)
	})
	failure := s.refused(wanted(1, 1), dhcpservice.StageWrite, "the daemon died on reload", "could not be put back")
	if failure.Restored || failure.Unrestored == nil {
		t.Errorf("%+v: a dead daemon counts as restored", failure)
	}
}

func TestVerifyFailsAndTheOldFilesAreRead(t *testing.T) {
	s := newSite(t, Dnsmasq(), nil)
	s.apply(wanted(1, 1))
	before := s.stands()
	s.ran()
	_, err := dhcpservice.Apply(t.Context(), s, wanted(2, 2), func(context.Context, render.Wanted) error { return errors.New("wrong answer") })
	if err == nil || !maps.Equal(before, s.stands()) {
		t.Errorf("%v: files %v", err, s.stands())
	}
	if ran := s.ran(); ran != "reload alive alive reload alive alive" {
		t.Errorf("ran %q", ran)
	}
}

func TestDiskFullPartWay(t *testing.T) {
	for _, first := range []bool{true, false} {
		s := newSite(t, Dnsmasq(), nil)
		s.apply(wanted(1, 1))
		s.ran()
		full := true
		s.swap = func(folder string, mode os.FileMode, live []render.File) error {
			if !full || len(live) == 0 {
				return Swap(folder, mode, live)
			}
			full = false
			if first {
				return syscall.ENOSPC
			}
			return errors.Join(Swap(folder, mode, live[:1]), syscall.ENOSPC)
		}
		if failure := s.refused(wanted(2, 2), dhcpservice.StageWrite, "no space left"); !failure.Restored {
			t.Errorf("not restored: %v", failure.Unrestored)
		}
		want := "reload alive alive"
		if first {
			want = ""
		}
		if ran := s.ran(); ran != want {
			t.Errorf("nothing written %v: ran %q, want %q", first, ran, want)
		}
	}
}

func TestFilesHaveTheirMode(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, _ func(string, string) []string) { o.Mode = 0o640 })
	s.apply(wanted(1, 1))
	if info, err := os.Stat(filepath.Join(s.folder, "tugboot-lab.group")); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestKeepNeedsToKnowWhose(t *testing.T) {
	s := newSite(t, ISC(), nil)
	if _, err := s.Keep(t.Context()); err == nil {
		t.Error("kept nobody's files")
	}
}
