// Package dhcpservice is the vocabulary of the drivers below it: how an existing DHCP service, one that is not ours, is
// read, checked, written and put back (Driver), and the one order in which that happens (Apply). It knows neither a
// service's language nor Kubernetes. docs/existing-dhcp.md tells what each service can and cannot do.
package dhcpservice
