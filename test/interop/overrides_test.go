package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// asFirmware makes dhclient ask as the firmware of an x86-64 machine does, and for the options that the test's Hardware has.
const asFirmware = `option arch code 93 = unsigned integer 16;
option undi code 94 = string;
option tftp150 code 150 = array of ip-address;
option wpad code 252 = text;
send vendor-class-identifier "PXEClient:Arch:00007:UNDI:003016";
send arch 7;
send undi 01:03:10;
also request tftp-server-name, bootfile-name, tftp150, wpad, ntp-servers;
`

// overrides is a Hardware whose interface has more in dhcp and in netboot; both begin with a comma.
func overrides(name, mac, address, annotations, dhcp, netboot string) string {
	return fmt.Sprintf(`---
apiVersion: tinkerbell.org/v1alpha1
kind: Hardware
metadata: {name: %s, namespace: tink-system, annotations: {%s}}
spec:
  interfaces:
  - dhcp: {mac: "%s", lease_time: 4294967295, ip: {address: %s, netmask: 255.255.255.0}%s}
    netboot: {allowPXE: true%s}
`, name, annotations, mac, address, dhcp, netboot)
}

// What one Hardware says about its boot and its options is what that machine is told, by a real client and a real curl.
func TestHardwareOverridesReachTheMachine(t *testing.T) {
	t.Parallel()
	need(t, dhclientPackages)
	need(t, httpPackages)
	const macs = "52:54:00:a8:00:0"
	s := newSite(t, "overrides",
		overrides("binary", macs+"1", "192.168.2.121", "", "", `, ipxe: {binary: snponly.efi}`)+
			overrides("named", macs+"2", "192.168.2.122", "", `, tftp_server_name: 192.168.2.7, boot_file_name: own.efi`, "")+
			overrides("contents", macs+"3", "192.168.2.123", "", "", `, ipxe: {contents: "#!ipxe\necho mine\n"}`)+
			overrides("url", macs+"4", "192.168.2.124", "", "", `, ipxe: {url: "http://192.168.2.7/own.ipxe"}`)+
			overrides("osie", macs+"5", "192.168.2.125", "", "",
				`, osie: {baseURL: "http://192.168.2.7/os", kernel: k, initrd: i, kernelParams: ["quiet", "a=b"]}`)+
			overrides("options", macs+"6", "192.168.2.126",
				`"tugboot.dev/dhcp-options": "150:ip:192.168.2.5,192.168.2.6\n252:text:http://wpad/\n54:ip:192.168.2.9"`,
				`, time_servers: [192.168.2.8, pool.ntp.example]`, ""))
	for i, test := range []struct {
		name string
		dhcp map[string]string
		// script is what the machine's script holds, "" for not asked.
		script []string
	}{
		{"binary", map[string]string{"new_filename": "snponly.efi", "new_bootfile_name": "snponly.efi", "new_next_server": serverAddr}, nil},
		{"named", map[string]string{"new_filename": "own.efi", "new_bootfile_name": "own.efi", "new_tftp_server_name": "192.168.2.7", "new_next_server": "192.168.2.7"}, nil},
		{"contents", map[string]string{"new_filename": "ipxe.efi"}, []string{"#!ipxe\necho mine\n"}},
		{"url", map[string]string{"new_filename": "ipxe.efi"}, []string{"imgfetch --name override http://192.168.2.7/own.ipxe"}},
		{"osie", nil, []string{"set kernel http://192.168.2.7/os/k", "set initrd http://192.168.2.7/os/i", " quiet a=b"}},
		// The lease never ends: there is nothing to renew.
		{"options", map[string]string{"new_tftp150": "192.168.2.5 192.168.2.6", "new_wpad": "http://wpad/", "new_ntp_servers": "192.168.2.8",
			"new_dhcp_server_identifier": serverAddr, "new_dhcp_lease_time": "4294967295", "new_dhcp_renewal_time": "", "new_dhcp_rebinding_time": ""}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			mac := macs + fmt.Sprint(i+1)
			h := s.host(test.name, mac)
			bound := s.dhclient(h, test.name, asFirmware).wait(10*time.Second, "BOUND")
			bound.has(t, test.dhcp)
			if test.script == nil {
				return
			}
			got := s.curl(h, httpBase+"/"+mac+"/auto.ipxe")
			for _, want := range test.script {
				if got.code != 200 || !strings.Contains(got.body, want) {
					t.Errorf("the script (%d) has no %q:\n%s", got.code, want, got.body)
				}
			}
		})
	}
	for field, value := range map[string]string{"time_servers[1]": "pool.ntp.example", "tugboot.dev/dhcp-options": "54:ip:192.168.2.9"} {
		if text := read(t, s.tugboot.Log); !strings.Contains(text, field) || !strings.Contains(text, value) {
			t.Errorf("the log does not name %s %s as a problem", field, value)
		}
	}
}
