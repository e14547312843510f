package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/test/lab"
)

// column is one server of the table.
type column struct {
	Name string
	// Group is whether it is asked as a DHCP server or as a TFTP server.
	TFTP bool
	report
}

// askPeers asks other people's servers, the newest of each kind that is here, with reservations and boot rules like Tugboot's.
func askPeers(t *testing.T) []column {
	var all []column
	for _, d := range newest(t) {
		all = append(all, column{Name: d.Name, report: askDHCP(t, d)})
	}
	folder, err := exec.CommandContext(suite.ctx, filepath.Join(suite.root, "hack", "tftp-servers.sh")).Output()
	if err != nil {
		t.Fatal(err)
	}
	made, boot := strings.TrimSpace(string(folder)), bootFolder(t)
	versions := map[string]string{}
	text, err := os.ReadFile(filepath.Join(made, "versions"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		versions[name] = version
	}
	return append(all,
		column{"dnsmasq's TFTP", true, askTFTP(t, "dnsmasq-tftp", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
			"--user=root", "--pid-file=", "--log-facility=-", "--enable-tftp", "--tftp-root="+boot)},
		column{"tftpd-hpa " + versions["tftpd-hpa"], true, askTFTP(t, "tftpd-hpa", filepath.Join(made, "bin", "in.tftpd"), "--foreground",
			"--ipv4", "--secure", boot)},
		column{"atftpd " + versions["atftpd"], true, askTFTP(t, "atftpd", filepath.Join(made, "bin", "atftpd"), "--daemon", "--no-fork",
			"--user", "nobody.nogroup", "--logfile", "-", boot)})
}

// newest are the DHCP servers of each kind with the highest version: the host's, or those of TUGBOOT_DHCP_SERVERS.
func newest(t *testing.T) []lab.Daemon {
	t.Helper()
	all, err := lab.Daemons(os.Getenv("TUGBOOT_DHCP_SERVERS"))
	if err != nil {
		t.Fatal(err)
	}
	byKind := map[lab.DaemonKind]lab.Daemon{}
	for _, d := range all {
		if d.Version > byKind[d.Kind].Version {
			byKind[d.Kind] = d
		}
	}
	return []lab.Daemon{byKind[lab.Dnsmasq], byKind[lab.Kea], byKind[lab.DHCPD]}
}

// bootFolder is a folder with a copy of the boot file: TFTP servers serve it as nobody, and could do it no harm.
func bootFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "tugboot-conformance-boot-") //nolint:usetesting // nobody cannot enter that one
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	content, err := os.ReadFile(filepath.Join(suite.ipxe, bootFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, bootFile), content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// askDHCP starts a DHCP server on the lab's server and asks it.
func askDHCP(t *testing.T, d lab.Daemon) report {
	s := newSite(t, strings.NewReplacer(".", "-", "P", "p").Replace(d.Name))
	f, err := lab.NewForeign(suite.ctx, s.ServerStation(), d, d.Name, lab.ServerInterface, filepath.Join(t.TempDir(), d.Name))
	s.must(err)
	text, err := os.ReadFile(filepath.Join("testdata", map[lab.DaemonKind]string{lab.Dnsmasq: "dnsmasq.conf", lab.Kea: "kea.json", lab.DHCPD: "dhcpd.conf"}[d.Kind]))
	s.must(err)
	config := strings.ReplaceAll(string(text), "IPXE", suite.ipxe)
	if d.Kind == lab.Kea {
		config = f.KeaOperator(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(config), "{"), "}"))
	}
	s.must(f.Configure(config))
	s.must(f.Start(suite.ctx))
	defer f.Stop()
	return s.ask("--patience=" + patience)
}

// askTFTP starts a TFTP server on the lab's server and asks it.
func askTFTP(t *testing.T, name string, args ...string) report {
	s := newSite(t, name)
	p, err := s.ServerStation().Start(lab.Spec{Name: name, Args: args})
	s.must(err)
	defer p.Stop(time.Second)
	time.Sleep(time.Second) // none of them says when it serves
	select {
	case <-p.Done():
		t.Fatalf("%s ended (%s):\n%s", name, p.Outcome(), lab.Tail(p.Log, 10))
	default:
	}
	return s.ask("--tftp-file="+bootFile, "--group=TFTP", "--patience="+patience)
}
