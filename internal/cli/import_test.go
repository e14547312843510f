package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const importKea = `{"Dhcp4": {"subnet4": [{"id": 1, "subnet": "192.168.2.0/23", "valid-lifetime": 600,
"option-data": [{"name": "routers", "data": "192.168.2.1"}, {"name": "domain-name-servers", "data": "9.9.9.9, 8.8.8.8"}],
"reservations": [
{"hw-address": "02:00:00:00:00:01", "ip-address": "192.168.2.11", "hostname": "Node-A"},
{"hw-address": "02:00:00:00:00:02", "ip-address": "192.168.3.12", "hostname": "=cmd|x\n", "boot-file-name": "own.efi"},
{"hw-address": "02:00:00:00:00:03", "ip-address": "192.168.2.11"},
{"hw-address": "02:00:00:00:00:04"},
{"duid": "00:01", "ip-address": "192.168.2.14"}]}]}}`

func TestImportCSV(t *testing.T) {
	code, stdout, stderr := run(importKea, "import", "kea", "--disk=/dev/sda", "-")
	want := `hostname,mac,ip_address,netmask,gateway,nameservers,disk,labels
node-a,02:00:00:00:00:01,192.168.2.11,255.255.254.0,192.168.2.1,9.9.9.9|8.8.8.8,/dev/sda,
machine-02-00-00-00-00-02,02:00:00:00:00:02,192.168.3.12,255.255.254.0,192.168.2.1,9.9.9.9|8.8.8.8,/dev/sda,
`
	if diff := cmp.Diff(want, stdout); diff != "" || code != 3 {
		t.Errorf("exit code %d, stdout (-want +got):\n%s", code, diff)
	}
	problems := `stdin:5:1: reservation of 02:00:00:00:00:02: host name "=cmd|x\n" cannot name a Hardware object (RFC 1123): it is called machine-02-00-00-00-00-02
stdin:5:91: reservation of 02:00:00:00:00:02: boot-file-name "own.efi": boot data has no place in a reservation: boot rules by class say it
stdin:6:1: reservation of 02:00:00:00:00:03: its MAC, or 192.168.2.11, is reserved already further up: keep one of the two
stdin:7:1: reservation of 02:00:00:00:00:04: has no address: give it one in the DHCP service, or leave it out of Hardware
stdin:8:1: reservation: hw-address "": Hardware knows a machine by its MAC only: write its MAC
tugboot: stdin: 3 reservations could not be carried
`
	if diff := cmp.Diff(problems, stderr); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
	// What was printed is a hardware.csv.
	if code, _, stderr := run(stdout, "hardware", "-"); code != 0 {
		t.Errorf("tugboot hardware: exit code %d: %s", code, stderr)
	}
}

func TestImportYAML(t *testing.T) {
	const dnsmasq = "dhcp-range=192.168.2.0,static,255.255.255.0,2h\ndhcp-option=3,192.168.2.1\ndhcp-option=121,10.0.0.0/8,192.168.2.9\n" +
		"dhcp-option=42,192.168.2.4\ndomain=lab.example\ndhcp-host=02:00:00:00:00:01,192.168.2.11,node\n"
	code, stdout, stderr := run(dnsmasq, "import", "dnsmasq", "-o=yaml", "-n=metal", "-")
	want := `---
apiVersion: tinkerbell.org/v1alpha1
kind: Hardware
metadata:
  name: node
  namespace: metal
spec:
  interfaces:
  - dhcp:
      classless_static_routes:
      - destination_descriptor: 10.0.0.0/8
        router: 192.168.2.9
      domain_name: lab.example
      hostname: node
      ip:
        address: 192.168.2.11
        family: 4
        gateway: 192.168.2.1
        netmask: 255.255.255.0
      lease_time: 7200
      mac: "02:00:00:00:00:01"
      time_servers:
      - 192.168.2.4
    netboot:
      allowPXE: true
      allowWorkflow: true
`
	if diff := cmp.Diff(want, stdout); diff != "" || code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q, stdout (-want +got):\n%s", code, stderr, diff)
	}
	_, stdout, stderr = run(dnsmasq, "import", "dnsmasq", "-")
	if !strings.Contains(stdout, "node,02:00:00:00:00:01,192.168.2.11,255.255.255.0,192.168.2.1,,,\n") || strings.Count(stderr, "use -o yaml") != 3 {
		t.Errorf("csv: %s%s", stdout, stderr)
	}
}

func TestImportUse(t *testing.T) {
	tests := []struct {
		what  string
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"no file", "", []string{"import", "kea"}, 2, "1 arguments"},
		{"unknown service", "", []string{"import", "microsoft", "-"}, 2, "give kea, dnsmasq or isc"},
		{"wrong flags at once", "", []string{"import", "-o=x", "-n=A b", "--disk=sda", "kea", "-"}, 2, "--disk \"sda\""},
		{"not there", "", []string{"import", "kea", t.TempDir() + "/missing"}, 1, "give the path"},
		{"broken", "{", []string{"import", "kea", "-"}, 1, "stdin:1:2: "},
		{"half", "subnet 10.0.0.0 netmask 255.0.0.0 { }\ninclude \"/nonexistent/file\";", []string{"import", "isc", "-"}, 1, "stdin:2:1: include: "},
	}
	for _, c := range tests {
		t.Run(c.what, func(t *testing.T) {
			code, stdout, stderr := run(c.stdin, c.args...)
			if code != c.code || !strings.Contains(stderr, c.says) || stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q, stderr %q", code, c.code, stdout, stderr)
			}
		})
	}
}
