// Package microsoft writes what the DHCP Server role of Windows Server (2012 R2 and later) is to say for one cluster, as one
// PowerShell script for the DhcpServer module that changes only what differs and shows with -WhatIf what it would change. It
// knows no server, file or socket; no script of its was ever run on Windows: Check, a parser of our own, is all that looks at
// one, and a person is to read what -WhatIf shows before the first run.
// It follows Microsoft's reference of the DhcpServer module and of its WMI classes, and [MS-DHCPM] for the length of names.
package microsoft
