package interop

import (
	"fmt"
	"strings"
)

// machine is what differs from one Hardware of these tests to the next.
type machine struct {
	name, mac, address string
	// gateway is .1 of the address's /24 when empty.
	gateway string
	// lease is in seconds; 3600 when zero.
	lease int
	// notAllowed is a machine that may not netboot.
	notAllowed bool
	// netboot is added below interfaces[0].netboot, in YAML's flow style, such as `osie: {baseURL: "http://192.0.2.1"}`.
	netboot string
}

// hardware writes Hardware objects as YAML. They all have name servers, and names of the machine's name.
func hardware(machines ...machine) string {
	var text strings.Builder
	for _, m := range machines {
		if m.gateway == "" {
			m.gateway = m.address[:strings.LastIndex(m.address, ".")] + ".1"
		}
		if m.lease == 0 {
			m.lease = 3600
		}
		if m.netboot != "" {
			m.netboot = ", " + m.netboot
		}
		fmt.Fprintf(&text, `---
apiVersion: tinkerbell.org/v1alpha1
kind: Hardware
metadata: {name: %s, namespace: tink-system}
spec:
  interfaces:
  - dhcp:
      mac: %s
      hostname: %s
      domain_name: lab.example
      lease_time: %d
      ip: {address: %s, netmask: 255.255.255.0, gateway: %s}
      name_servers: [192.168.2.53, 192.168.2.54]
    netboot: {allowPXE: %t%s}
`, m.name, m.mac, m.name, m.lease, m.address, m.gateway, !m.notAllowed, m.netboot)
	}
	return text.String()
}
