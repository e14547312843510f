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

// askPeers asks other people's servers, as Debian has them, with reservations and boot rules like Tugboot's.
func askPeers(t *testing.T) []column {
	daemons, err := lab.Daemons("")
	if err != nil {
		t.Fatal(err)
	}
	var all []column
	for _, d := range daemons {
		all = append(all, column{Name: d.Name, report: askDHCP(t, d)})
	}
	folder, err := exec.CommandContext(suite.ctx, filepath.Join(suite.root, "hack", "tftp-servers.sh")).Output()
	if err != nil {
		t.Fatal(err)
	}
	made := strings.TrimSpace(string(folder))
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
			"--user=root", "--pid-file=", "--log-facility=-", "--enable-tftp", "--tftp-root="+suite.ipxe)},
		column{"tftpd-hpa " + versions["tftpd-hpa"], true, askTFTP(t, "tftpd-hpa", filepath.Join(made, "bin", "in.tftpd"), "--foreground",
			"--user", "root", "--address", lab.ServerAddr.String()+":69", "--secure", suite.ipxe)},
		column{"atftpd " + versions["atftpd"], true, askTFTP(t, "atftpd", filepath.Join(made, "bin", "atftpd"), "--daemon", "--no-fork",
			"--user", "root.root", "--logfile", "-", "--bind-address", lab.ServerAddr.String(), suite.ipxe)})
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
