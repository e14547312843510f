package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tugboot/tugboot/internal/journal"
	"github.com/tugboot/tugboot/test/lab"
)

var tftpPackages = map[string]string{"tftp": "tftp-hpa", "atftp": "atftp", "curl": "curl", "ip": "iproute2"}

const tftpMAC = "52:54:00:f6:00:01"

// tftpSite is a site with one client, whose address is that of a known machine.
func tftpSite(t *testing.T, name string) (*site, *lab.Host) {
	t.Helper()
	need(t, tftpPackages)
	s := newSite(t, name, hardware(machine{name: "tf1", mac: tftpMAC, address: "192.168.2.71"}))
	return s, s.addressed("client", tftpMAC, "192.168.2.71/24")
}

// served asserts that a fetched file is the same as the one in the iPXE folder.
func served(t *testing.T, fetched, file string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join(suite.ipxe, file))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(fetched)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes (%v), want the %d bytes of %s", filepath.Base(fetched), len(got), err, len(want), file)
	}
}

func TestTFTPClientsGetSameBytes(t *testing.T) {
	t.Parallel()
	s, h := tftpSite(t, "tftp")
	atftp := func(name, to string, options ...string) []string {
		args := []string{"atftp", "--verbose"}
		for _, o := range options {
			args = append(args, "--option", o)
		}
		return append(args, "-g", "-r", name, "-l", to, serverAddr)
	}
	tests := []struct {
		name, file string
		command    func(to string) []string
		// blksize and windowsize are what was granted, as Tugboot logs it.
		blksize, windowsize int
	}{
		{"tftp-hpa efi", "ipxe.efi", func(to string) []string {
			return []string{"tftp", "-m", "binary", serverAddr, "-c", "get", "ipxe.efi", to}
		}, 512, 1},
		{"tftp-hpa bios", "undionly.kpxe", func(to string) []string {
			return []string{"tftp", "-m", "binary", serverAddr, "-c", "get", "/undionly.kpxe", to}
		}, 512, 1},
		{"atftp plain", "undionly.kpxe", func(to string) []string { return atftp("undionly.kpxe", to) }, 512, 1},
		{"atftp options", "ipxe.efi", func(to string) []string {
			return atftp("ipxe.efi", to, "blksize 1428", "tsize 0", "timeout 3", "windowsize 16")
		}, 1428, 16},
		{"atftp small blocks", "undionly.kpxe", func(to string) []string { return atftp("undionly.kpxe", to, "blksize 8", "windowsize 64") }, 8, 64},
		{"curl mac folder", "ipxe.efi", func(to string) []string {
			return []string{"curl", "-sS", "--tftp-blksize", "1468", "-o", to, "tftp://" + serverAddr + "/" + tftpMAC + "/ipxe.efi"}
		}, 1468, 1},
		{"curl dashed mac folder", "undionly.kpxe", func(to string) []string {
			return []string{"curl", "-sS", "-o", to, "tftp://" + serverAddr + "/ipxe/binary/" + strings.ReplaceAll(tftpMAC, ":", "-") + "/undionly.kpxe"}
		}, 512, 1},
		{"curl without options", "undionly.kpxe", func(to string) []string {
			return []string{"curl", "-sS", "--tftp-no-options", "-o", to, "tftp://" + serverAddr + "/undionly.kpxe"}
		}, 512, 1},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			to := s.file(strings.ReplaceAll(test.name, " ", "-"))
			s.run(h.Namespace, test.command(to)...)
			served(t, to, test.file)
			// A client is done when it has the last block; the server when it has the client's word for it.
			s.within(3*time.Second, "the log tells of each transfer", func() bool { return len(s.transfers()) == i+1 })
			ended := s.transfers()[i]
			if ended["blksize"] != float64(test.blksize) || ended["windowsize"] != float64(test.windowsize) || ended["reason"] != "Binary" {
				t.Errorf("blksize %v, windowsize %v, reason %v, want %d, %d, Binary", ended["blksize"], ended["windowsize"], ended["reason"], test.blksize, test.windowsize)
			}
		})
	}
	if !s.happened(tftpMAC, journal.StageTFTP, "Binary", "ipxe.efi") {
		t.Error("the machine's timeline does not tell of ipxe.efi")
	}
}

// transfers are the lines of the log about ended transfers, the oldest first.
func (s *site) transfers() []map[string]any {
	s.t.Helper()
	return s.logged(map[string]string{"logger": "tftp", "msg": "TFTP transfer ended"})
}

func TestTFTPRefusals(t *testing.T) {
	t.Parallel()
	s, h := tftpSite(t, "tftp-refuse")
	before := fingerprint(t, suite.ipxe)
	s.write("upload", "not an iPXE binary\n")
	for _, test := range []struct {
		name, says string
		command    []string
		reason     string
	}{
		{"put by tftp-hpa", "Error code 2", []string{"tftp", "-m", "binary", serverAddr, "-c", "put", s.file("upload"), "ipxe.efi"}, "WriteRefused"},
		{"put by curl", "", []string{"curl", "-sS", "-T", s.file("upload"), "tftp://" + serverAddr + "/new.efi"}, "WriteRefused"},
		{"missing", "Error code 1", []string{"tftp", "-m", "binary", serverAddr, "-c", "get", "no-such.efi", s.file("no-such")}, "NoSuchFile"},
		{"dot-dot", "Error code 1", []string{"tftp", "-m", "binary", serverAddr, "-c", "get", "../../../../../../etc/passwd", s.file("passwd")}, "NoSuchFile"},
		{"absolute", "Error code 1", []string{"tftp", "-m", "binary", serverAddr, "-c", "get", "/etc/passwd", s.file("passwd")}, "NoSuchFile"},
		{"long name", "Error code", []string{"tftp", "-m", "binary", serverAddr, "-c", "get", strings.Repeat("a", 300), s.file("long")}, "NameRefused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			out, err := h.Run(s.ctx, nil, test.command...)
			said := string(out) + fmt.Sprint(err)
			if !strings.Contains(said, test.says) || strings.Contains(said, "signal: killed") {
				t.Errorf("%q, want %q", said, test.says)
			}
			s.within(2*time.Second, "the log tells of the refusal", func() bool {
				return len(s.logged(map[string]string{"msg": "TFTP request refused", "reason": test.reason})) > 0
			})
		})
	}
	for _, name := range []string{"passwd", "no-such", "long"} {
		if got, err := os.ReadFile(s.file(name)); err == nil && len(got) > 0 {
			t.Errorf("%s: got %d bytes, want none", name, len(got))
		}
	}
	if after := fingerprint(t, suite.ipxe); after != before {
		t.Errorf("the iPXE folder has changed:\n%s\nwas\n%s", after, before)
	}
}

// fingerprint lists a folder: names, sizes and times of change.
func fingerprint(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, e := range entries {
		stat, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&text, e.Name(), stat.Size(), stat.ModTime())
	}
	return text.String()
}

// A rack is switched on: none of many machines that ask at once is left without its file.
func TestTFTPManyMachinesAtOnce(t *testing.T) {
	t.Parallel()
	const machines = 200
	s, h := tftpSite(t, "tftp-many")
	// Each asks from an address of its own, as one address may have so many transfers only.
	s.run(h.Namespace, "ip", "route", "add", "local", "10.99.0.0/24", "dev", "eth0")
	s.run(s.Server, "ip", "route", "add", "10.99.0.0/24", "dev", lab.ServerInterface)
	want := strings.Fields(s.run(h.Namespace, "sha256sum", filepath.Join(suite.ipxe, "ipxe.efi")))[0]
	started := time.Now()
	out := s.run(h.Namespace, "sh", "-c", fmt.Sprintf(`seq %d | xargs -P %d -I N sh -c `+
		`'curl -sS --interface 10.99.0.N --max-time 60 --tftp-blksize 1468 tftp://%s/ipxe.efi 2>&1 | sha256sum'`, machines, machines, serverAddr))
	t.Logf("%d machines in %v", machines, time.Since(started).Round(time.Millisecond))
	if got := strings.Count(out, want); got != machines {
		t.Errorf("%d of %d machines got the file", got, machines)
	}
}

// The network loses every twentieth packet in each direction. netem, which could do that, is not in every kernel; so the
// packets are lost in a relay of this test.
func TestTFTPSurvivesPacketLoss(t *testing.T) {
	t.Parallel()
	s, h := tftpSite(t, "tftp-loss")
	for _, test := range []struct {
		name, file string
		command    func(port, to string) []string
	}{
		{"lockstep", "undionly.kpxe", func(port, to string) []string {
			return []string{"tftp", "-m", "binary", "127.0.0.1", port, "-c", "get", "undionly.kpxe", to}
		}},
		{"windows", "ipxe.efi", func(port, to string) []string {
			return []string{"atftp", "--option", "blksize 1428", "--option", "windowsize 16", "-g", "-r", "ipxe.efi", "-l", to, "127.0.0.1", port}
		}},
	} {
		// One after the other: parallel ones would wait for a free processor while the time of their site runs out.
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			relay := s.udpRelay(h, serverAddr+":69", relayOptions{loss: 0.05, seed: 1})
			started := time.Now()
			s.run(h.Namespace, test.command(relay.port(), s.file(test.name))...)
			served(t, s.file(test.name), test.file)
			if relay.lost() == 0 {
				t.Error("the relay has lost no packet: nothing was tried")
			}
			t.Logf("%s in %v, %d packets lost", test.file, time.Since(started).Round(time.Millisecond), relay.lost())
		})
	}
}
