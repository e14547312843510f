package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice/files"
	"github.com/tugboot/tugboot/internal/render/dnsmasq"
	"github.com/tugboot/tugboot/internal/render/isc"
	"github.com/tugboot/tugboot/test/lab"
)

// onFiles is an existing service that is told what to say by files.
type onFiles struct {
	files.Language
	kind lab.DaemonKind
	// folder is where the live files are on real hosts.
	folder string
	// own is the operator's own configuration, include the line that includes Tugboot's part, with FILE for its path, and
	// broken a line that the daemon does not take.
	own, include, broken string
	// reread is the manager's command by which the daemon reads its files again.
	reread func(*lab.Manager) []string
}

// An existing dnsmasq is told what to say by two files that it reads again on SIGHUP.
func TestExistingDnsmasq(t *testing.T) {
	t.Parallel()
	onDnsmasq().test(t)
}

func onDnsmasq() onFiles {
	return onFiles{
		Language: files.Dnsmasq(), kind: lab.Dnsmasq, folder: dnsmasq.Dir,
		own:     "dhcp-authoritative\ndhcp-host=" + ownMAC.String() + "," + ownAddr + ",set:" + dnsmasq.Exempt + "\n",
		include: "conf-file=FILE\n", broken: "dhcp-range=nowhere\n",
		reread: func(m *lab.Manager) []string { return m.Reload },
	}
}

// An existing ISC dhcpd is told what to say by a file that it includes, and restarted.
func TestExistingDHCPD(t *testing.T) {
	t.Parallel()
	onDHCPD().test(t)
}

func onDHCPD() onFiles {
	return onFiles{
		Language: files.ISC(), kind: lab.DHCPD, folder: isc.Dir,
		own: "authoritative;\nddns-update-style none;\nsubnet 10.9.0.0 netmask 255.255.0.0 { }\n" +
			"host own { hardware ethernet " + ownMAC.String() + "; fixed-address " + ownAddr + "; }\n",
		include: "include \"FILE\";\n", broken: "next-server \"10.9.0.1\";\n",
		reread: func(m *lab.Manager) []string { return m.Restart },
	}
}

// test takes every version of the daemon through the story.
func (o onFiles) test(t *testing.T) {
	need(t, map[string]string{"curl": "curl"})
	for _, d := range daemons(t, o.kind) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			e := newExisting(t, d)
			e.checks(o.Render, func(whole string) string { return whole + o.broken })
			config := o.install(e)
			e.story(func() func() {
				e.must(e.foreign.Configure(config + o.broken))
				return func() { e.must(e.foreign.Configure(config)) }
			})
			if now := e.read(e.foreign.Config); now != config {
				t.Errorf("the operator's configuration is\n%s\nand was\n%s", now, config)
			}
		})
	}
}

// install starts the daemon as an operator does who includes Tugboot's part, with live files that say nothing yet, and
// makes the driver. It returns the operator's configuration.
func (o onFiles) install(e *existing) (config string) {
	e.t.Helper()
	folder := filepath.Join(e.foreign.Dir, "live")
	e.must(os.MkdirAll(folder, 0o755))
	out, err := o.Render(wanted(0, bootstrapAddr, 0))
	e.must(err)
	e.must(files.Swap(folder, files.DefaultMode, out.Live))
	operator := filepath.Join(e.foreign.Dir, out.Operator.Name)
	e.must(os.WriteFile(operator, []byte(strings.ReplaceAll(out.Operator.Text, o.folder, folder)), 0o644))
	config = o.own + strings.ReplaceAll(o.include, "FILE", operator)
	e.configure(config)
	manager, err := e.Manage(e.ctx, e.foreign)
	e.must(err)
	e.driver, err = files.New(files.Options{Language: o.Language, Folder: folder, Check: e.foreign.Checker(files.MainPlace),
		Main: e.foreign.Config, Reload: o.reread(manager), Alive: manager.Alive, Version: []string{e.foreign.Daemon.Program, "--version"}})
	e.must(err)
	return config
}

func (e *existing) read(path string) string {
	e.t.Helper()
	text, err := os.ReadFile(path)
	e.must(err)
	return string(text)
}
