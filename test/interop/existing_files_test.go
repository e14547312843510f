package interop

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
	"github.com/tugboot/tugboot/internal/dhcpservice/files"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
	"github.com/tugboot/tugboot/test/lab"
)

// language is a service's language, as its renderer speaks it.
type language struct {
	render   func(render.Wanted) (render.Output, error)
	check    func(name, text string) error
	standing func(map[string]string, render.Wanted) (render.Word, int, []string, int, error)
	folder   string // of the live files on real hosts
}

// filesDriver makes a service say what stands in its live files: they are replaced, and the daemon reads them again.
type filesDriver struct {
	language
	foreign *lab.Foreign
	reread  func(context.Context) error
}

// Read looks at the live files.
func (d *filesDriver) Read(_ context.Context, want render.Wanted) (s dhcpservice.Standing, err error) {
	out, err := d.render(want)
	if err != nil {
		return s, err
	}
	texts := map[string]string{}
	for _, file := range out.Live {
		text, err := os.ReadFile(filepath.Join(d.foreign.Dir, file.Name))
		switch {
		case err == nil:
			texts[file.Name] = string(text)
		case !errors.Is(err, fs.ErrNotExist):
			return s, err
		}
	}
	s.Word, s.Reservations, s.Drift, s.Drifts, err = d.standing(texts, want)
	return s, err
}

// Check has the daemon's own checker look at the operator's configuration, and ours at what is to be written.
func (d *filesDriver) Check(ctx context.Context, want render.Wanted) error {
	out, err := d.render(want)
	if err != nil {
		return err
	}
	for _, file := range out.Live {
		if err := d.check(file.Name, file.Text); err != nil {
			return err
		}
	}
	config, err := os.ReadFile(d.foreign.Config)
	if err != nil {
		return err
	}
	return d.foreign.Check(ctx, string(config))
}

// Keep keeps nothing: the story's verifications never fail, and it ends when one does.
func (d *filesDriver) Keep(context.Context) (func(context.Context) error, error) {
	return func(context.Context) error { return errors.New("nothing was kept") }, nil
}

// Write replaces the live files and has the daemon read them.
func (d *filesDriver) Write(ctx context.Context, want render.Wanted) error {
	out, err := d.render(want)
	if err != nil {
		return err
	}
	if err := files.Swap(d.foreign.Dir, 0o644, out.Live); err != nil {
		return err
	}
	return d.reread(ctx)
}

// includes puts the operator's file and the live files of a cluster that is told nothing yet into the service's folder,
// starts the daemon with the operator's own configuration and the line that includes them, and drives it. include is that
// line, with FILE for the operator's file.
func (e *existing) includes(l language, own, include string, reread func(context.Context) error) (config string) {
	e.t.Helper()
	out, err := l.render(wanted(0, bootstrapAddr, 0))
	e.must(err)
	out.Operator.Text = strings.ReplaceAll(out.Operator.Text, l.folder, e.foreign.Dir)
	e.must(files.Swap(e.foreign.Dir, 0o644, append(out.Live, out.Operator)))
	config = own + strings.ReplaceAll(include, "FILE", filepath.Join(e.foreign.Dir, out.Operator.Name))
	e.configure(config)
	e.driver = &filesDriver{language: l, foreign: e.foreign, reread: reread}
	return config
}

// spoilFile returns what adds a line that the daemon does not take to the operator's configuration.
func (e *existing) spoilFile(config, line string) func() func() {
	return func() func() {
		e.t.Helper()
		e.must(e.foreign.Configure(config + line))
		return func() { e.must(e.foreign.Configure(config)) }
	}
}

// An existing dnsmasq is told what to say by two files that it reads again on SIGHUP.
func TestExistingDnsmasq(t *testing.T) {
	t.Parallel()
	const broken = "dhcp-range=nowhere\n"
	l := language{dnsmasq.Render, dnsmasq.Check, dnsmasq.Standing, dnsmasq.Dir}
	for _, d := range daemons(t, lab.Dnsmasq) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, d)
			e.checks(l.render, func(whole string) string { return whole + broken })
			own := "dhcp-authoritative\ndhcp-host=" + ownMAC.String() + "," + ownAddr + ",set:" + dnsmasq.Exempt + "\n"
			config := e.includes(l, own, "conf-file=FILE\n", func(context.Context) error { return e.foreign.Reload() })
			e.story(e.spoilFile(config, broken))
		})
	}
}

// An existing ISC dhcpd is told what to say by a file that it includes, and restarted.
func TestExistingDHCPD(t *testing.T) {
	t.Parallel()
	const broken = "next-server \"10.9.0.1\";\n"
	l := language{isc.Render, isc.Check, isc.Standing, isc.Dir}
	for _, d := range daemons(t, lab.DHCPD) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, d)
			e.checks(l.render, func(whole string) string { return whole + broken })
			own := "authoritative;\nddns-update-style none;\nsubnet 10.9.0.0 netmask 255.255.0.0 { }\n" +
				"host own { hardware ethernet " + ownMAC.String() + "; fixed-address " + ownAddr + "; }\n"
			config := e.includes(l, own, "include \"FILE\";\n", e.foreign.Restart)
			e.story(e.spoilFile(config, broken))
		})
	}
}
