package dhcp4

import "github.com/tugboot/tugboot/internal/boot"

// Reasons of packets that are no requests to a DHCP server; see [Parse].
const (
	// ReasonMalformed: too short, an option that runs past its field, or an option of a length it cannot have.
	ReasonMalformed boot.Reason = "Malformed"
	// ReasonNotRequest: op is not BOOTREQUEST, such as a reply that a relay sent back.
	ReasonNotRequest boot.Reason = "NotRequest"
	// ReasonBadCookie: the options do not start with the magic cookie; plain BOOTP of RFC 951 ends here.
	ReasonBadCookie boot.Reason = "BadCookie"
	// ReasonBadHardwareAddress: not Ethernet (htype 1, hlen 6), or an address that no single machine can own.
	ReasonBadHardwareAddress boot.Reason = "BadHardwareAddress"
	// ReasonTooManyHops: more than 16 relay agents (RFC 1542 section 4.1.1).
	ReasonTooManyHops boot.Reason = "TooManyHops"
	// ReasonNoMessageType: BOOTP, that is no option 53.
	ReasonNoMessageType boot.Reason = "NoMessageType"
	// ReasonLeaseQuery: a relay asks about leases (RFC 4388 and successors), of which there are none.
	ReasonLeaseQuery boot.Reason = "LeaseQuery"
	// ReasonUnknownMessageType: option 53 is nothing that a client sends to a server.
	ReasonUnknownMessageType boot.Reason = "UnknownMessageType"
)

// Reasons of requests that are met with silence or a DHCPNAK, besides boot.ReasonNotReserved; see [Judge].
const (
	// ReasonOtherServer: the client chose another server (option 54).
	ReasonOtherServer boot.Reason = "OtherServer"
	// ReasonWrongSubnet: the client is on a network where its reserved address cannot work.
	ReasonWrongSubnet boot.Reason = "WrongSubnet"
	// ReasonWrongAddress: the address it asks for, gives up or declines is not the one reserved for it.
	ReasonWrongAddress boot.Reason = "WrongAddress"
	// ReasonDeclined: the client found its reserved address in use by somebody else.
	ReasonDeclined boot.Reason = "Declined"
	// ReasonReleased: the client gave its address up; a reservation stays.
	ReasonReleased boot.Reason = "Released"
	// ReasonNoClientAddress: a DHCPINFORM that does not say where to answer.
	ReasonNoClientAddress boot.Reason = "NoClientAddress"
	// ReasonNoServerIdentifier: this server does not know an address of its own to answer with.
	ReasonNoServerIdentifier boot.Reason = "NoServerIdentifier"
	// ReasonReplyTooLarge: what must be said does not fit in what the client accepts.
	ReasonReplyTooLarge boot.Reason = "ReplyTooLarge"
)
