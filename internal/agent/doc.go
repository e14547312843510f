// Package agent keeps a DHCP service that is configured by files in step, from the host on which it runs. It knows how to
// choose among the orders of several Kubernetes APIs, when to look at the service and when to write, and it works on from
// the last good order while no API can be reached; it must not know the language of any service, nor what Hardware is.
// Orders and reports are those of package dhcpservice; the APIs are spoken with as the Kubernetes API reference has it
// for ConfigMaps.
package agent
