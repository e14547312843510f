// Package kea makes a running Kea DHCPv4 server say what one cluster's machines are to be told, over its control channel:
// it is a dhcpservice.Driver for one server. It must not know Kubernetes, nor what stands in a rule, which
// internal/render/kea says; and of the server's configuration it changes what carries the cluster's name, and nothing else.
// It follows the Kea Administrator Reference Manual for 2.2 to 3.0, chapters "Management API" and "Host Commands".
//
// # What is changed by which command
//
// config-set replaces the whole configuration between two packets: a machine is told all of the old or all of the new. So
// whatever touches a class, and with it every change of the next-server, is done by one config-set: class-update changes
// one class at a time, and between two of them a machine's firmware would be told one stack and its iPXE another. It costs
// a pause of some hundred milliseconds with thousands of reservations.
//
// Where no class changes, a server with the commands of the host_cmds library (free from 2.7.7 on) is told reservation by
// reservation, and pauses only while it writes its configuration out for us. A reservation whose address changes, and many
// at once, go by config-set all the same: a refused reservation-update has removed what it was to change, and addresses
// that are exchanged have no order that works.
//
// # What can go wrong
//
// A config-set that is refused leaves Kea deaf, not only in 2.2: 3.0 answers result 5 when an interface is gone, and serves
// no more, while status-get says that all is well. So every config-set passes config-test first; when it is refused all
// the same, the configuration before is set again, and where that is refused too, config-reload brings back the file.
// A change that config-write cannot write to the file is undone, for a restart would undo it at some other time.
package kea
