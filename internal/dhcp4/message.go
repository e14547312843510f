package dhcp4

// MessageType is option 53 (RFC 2132 section 9.6). The zero value means that there is none.
type MessageType uint8

// The message types that a server receives or sends.
const (
	TypeDiscover MessageType = 1
	TypeOffer    MessageType = 2
	TypeRequest  MessageType = 3
	TypeDecline  MessageType = 4
	TypeAck      MessageType = 5
	TypeNak      MessageType = 6
	TypeRelease  MessageType = 7
	TypeInform   MessageType = 8

	typeLeaseQuery       MessageType = 10 // RFC 4388
	typeBulkLeaseQuery   MessageType = 14 // RFC 6926
	typeActiveLeaseQuery MessageType = 16 // RFC 7724
)

// String returns the name as log lines, metric labels and the journal have it. There are few: every number that is
// not named here is "OTHER", so that a sender cannot make up labels.
func (t MessageType) String() string {
	switch t {
	case TypeDiscover:
		return "DISCOVER"
	case TypeOffer:
		return "OFFER"
	case TypeRequest:
		return "REQUEST"
	case TypeDecline:
		return "DECLINE"
	case TypeAck:
		return "ACK"
	case TypeNak:
		return "NAK"
	case TypeRelease:
		return "RELEASE"
	case TypeInform:
		return "INFORM"
	case typeLeaseQuery, typeBulkLeaseQuery, typeActiveLeaseQuery:
		return "LEASEQUERY"
	case 0:
		return "NONE"
	}
	return "OTHER"
}

// Known reports whether it is one of those that have a name.
func (t MessageType) Known() bool { return t.String() != "OTHER" }

// Option codes (IANA's registry of BOOTP vendor extensions and DHCP options).
const (
	optPad                = 0
	optSubnetMask         = 1
	optRouter             = 3
	optNameServer         = 6
	optHostName           = 12
	optDomainName         = 15
	optBroadcast          = 28
	optTimeServer         = 42
	optVendorSpecific     = 43
	optRequestedAddress   = 50
	optLeaseTime          = 51
	optOverload           = 52
	optMessageType        = 53
	optServerIdentifier   = 54
	optParameterList      = 55
	optMessage            = 56
	optMaxMessageSize     = 57
	optRenewalTime        = 58
	optRebindingTime      = 59
	optVendorClass        = 60
	optClientIdentifier   = 61
	optTFTPServerName     = 66
	optBootFile           = 67
	optUserClass          = 77
	optRelayAgent         = 82
	optClientArch         = 93
	optNetworkInterface   = 94
	optMachineIdentifier  = 97
	optSubnetSelection    = 118
	optDomainSearch       = 119
	optClasslessRoutes    = 121
	optIPXE               = 175
	optEnd                = 255
	relayLinkSelection    = 5  // RFC 3527
	relayServerIdentifier = 11 // RFC 5107
	relaySourcePort       = 19 // RFC 8357
	ipxePriority          = 1
	ipxeHTTP              = 19
	ipxeNoProxyDHCP       = 176
	ipxeVersion           = 235
	pxeDiscoveryControl   = 6
	pxeBootMenu           = 9
	pxeMenuPrompt         = 10
	vendorVLAN            = 116
)

// Offsets and sizes of the fixed part of a message (RFC 2131 figure 1).
const (
	offSname      = 44
	offFile       = 108
	offCookie     = 236
	offOptions    = 240
	snameSize     = offFile - offSname
	fileSize      = offCookie - offFile
	magicCookie   = 0x63825363
	opRequest     = 1
	opReply       = 2
	htypeEthernet = 1
	maxHops       = 16
	flagBroadcast = 0x8000
)
