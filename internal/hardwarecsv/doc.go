// Package hardwarecsv reads EKS Anywhere's hardware.csv and writes the objects that its rows stand for: Hardware, and where
// a row has a BMC the Machine and the Secret of bmc.tinkerbell.org. It must not know where a file lies, what serves the
// machines or how an object reaches a cluster, and it lets a BMC's password out in that Secret only. It follows RFC 4180 as
// encoding/csv reads it, RFC 1123 (host names), RFC 950 (subnets), IEEE 802.1Q (VLANs) and the columns of EKS Anywhere.
package hardwarecsv
