// Package storm plays machines that are all switched on in the same moment and boot to their script: firmware's DHCP, the
// iPXE binary by TFTP, iPXE's DHCP, and the script over HTTP. It knows that order and what every step must bring; it must
// not know which servers answer. Each step follows what dhcpload and tftpload follow, and repeats itself as they say.
package storm
