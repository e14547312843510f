package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// failed wants an error of one line with the words in it.
func failed(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q; want %q in it", err, word)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("error %q: not one printable line", err)
	}
}

func TestCommandIsKilledWithWhatItStarted(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) {
		o.Timeout = 200 * time.Millisecond
		o.Reload = script("reload", `sh -c 'sleep 1; echo late >> "$0"' "$live/../log"; true`)
	})
	began := time.Now()
	failed(t, s.Write(t.Context(), wanted(1, 1)), "reload", "longer than 200ms")
	if took := time.Since(began); took > 900*time.Millisecond {
		t.Errorf("took %s", took)
	}
	time.Sleep(time.Second)
	if ran := s.ran(); ran != "reload" {
		t.Errorf("ran %q: something outlived the command", ran)
	}
}

func TestCommandThatLeavesADaemonBehindIsNotWaitedFor(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) { o.Reload = script("reload", "sleep 4 &") })
	began := time.Now()
	if err := s.Write(t.Context(), wanted(1, 1)); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestCommandStopsWithItsCaller(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) { o.Reload = script("reload", "sleep 5") })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Write(ctx, wanted(1, 1)); err == nil {
		t.Error("no error")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Write(stopped, wanted(1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestWhatACommandSaysIsBoundedAndQuoted(t *testing.T) {
	s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) {
		o.Reload = script("reload", `printf '\033[31mred\n'; head -c 1000000 /dev/zero | tr '\0' x; exit 1`)
	})
	err := s.Write(t.Context(), wanted(1, 1))
	failed(t, err, `"\x1b[31mred\n`, "and more")
	if len(err.Error()) > 2*maxQuoted {
		t.Errorf("%d bytes", len(err.Error()))
	}
	s.options.Reload = []string{filepath.Join(s.folder, "nothing")}
	failed(t, s.Write(t.Context(), wanted(1, 1)), "give a program that this process may run")
	s.options.Reload = []string{"/bin/false", "$(touch x); `touch y`"}
	failed(t, s.Write(t.Context(), wanted(1, 1)), "it said nothing")
	if _, err := os.Stat("x"); err == nil {
		t.Error("a shell looked at the arguments")
	}
}

func TestVersion(t *testing.T) {
	for said, want := range map[string]string{
		"echo Dnsmasq version 2.90; echo more":     "Dnsmasq version 2.90",
		"printf '\\n\\033[1misc-dhcpd-4.4.3\\377'": "[1misc-dhcpd-4.4.3",
		"head -c 5000 /dev/zero | tr '\\0' v":      strings.Repeat("v", 120),
	} {
		s := newSite(t, ISC(), func(o *Options, script func(string, string) []string) { o.Version = script("version", said) })
		if got, err := s.Version(t.Context()); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", said, got, err, want)
		}
	}
	s := newSite(t, ISC(), nil)
	if got, err := s.Version(t.Context()); err != nil || got != "" {
		t.Errorf("not asked: %q, %v", got, err)
	}
	s.options.Version = []string{"/bin/false"}
	_, err := s.Version(t.Context())
	failed(t, err, "version")
}

func TestNewNamesTheOption(t *testing.T) {
	good := Options{Language: ISC(), Folder: "/etc/dhcp/tugboot/", Reload: []string{"/bin/true"}}
	if d, err := New(good); err != nil || d.options.Folder != "/etc/dhcp/tugboot" || d.options.Mode != DefaultMode || d.options.Timeout != DefaultTimeout {
		t.Fatalf("%+v, %v", d, err)
	}
	for word, change := range map[string]func(*Options){
		"language":           func(o *Options) { o.Language.Check = nil },
		"folder":             func(o *Options) { o.Folder = "etc\n" },
		"folder \"/\"":       func(o *Options) { o.Folder = "/" },
		"mode":               func(o *Options) { o.Mode = os.ModeSetuid | 0o644 },
		"reload: no command": func(o *Options) { o.Reload = nil },
		"reload: the":        func(o *Options) { o.Reload = []string{""} },
		"main configuration": func(o *Options) { o.Main = "dhcpd.conf" },
		"{main}":             func(o *Options) { o.Check = []string{"dhcpd", "-t", "-cf={main}"} },
		"timeout":            func(o *Options) { o.Timeout = -1 },
	} {
		o := good
		change(&o)
		_, err := New(o)
		failed(t, err, word)
	}
}
