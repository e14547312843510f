package dhcp4

import "github.com/tugboot/tugboot/internal/boot"

// Reasons of packets that are no requests to a DHCP server; see [Parse].
const (
	// ReasonMalformed: too short, an option that runs past its field, or an option of a length it cannot have.
	ReasonMalformed boot.Reason = "Malformed"
	// ReasonNotRequest: op is not BOOTREQUEST, such as another server's reply.
	ReasonNotRequest boot.Reason = "NotRequest"
	// ReasonOwnReply: a reply of this server that came back to it; see [OwnReply].
	ReasonOwnReply boot.Reason = "OwnReply"
	// ReasonBadCookie: the options do not start with the magic cookie; plain BOOTP of RFC 951 ends here.
	ReasonBadCookie boot.Reason = "BadCookie"
	// ReasonBadHardwareAddress: not Ethernet (htype 1, hlen 6), or an address that no single machine can own.
	ReasonBadHardwareAddress boot.Reason = "BadHardwareAddress"
	// ReasonTooManyHops: more than 16 relay agents (RFC 1542 section 4.1.1).
	ReasonTooManyHops boot.Reason = "TooManyHops"
	// ReasonRelayLoopback, ReasonRelayMulticast and ReasonRelayBroadcast: giaddr is an address that no relay agent has. A
	// broadcast address is 255.255.255.255, or that of a subnet this host is on (see [Judge]).
	ReasonRelayLoopback  boot.Reason = "RelayLoopback"
	ReasonRelayMulticast boot.Reason = "RelayMulticast"
	ReasonRelayBroadcast boot.Reason = "RelayBroadcast"
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
	// ReasonDHCPOff: DHCP is off on the interface that it came in on.
	ReasonDHCPOff boot.Reason = "DHCPOff"
	// ReasonRelayOwnAddress: giaddr is an address of this host, so that the answer would come back to it.
	ReasonRelayOwnAddress boot.Reason = "RelayOwnAddress"
	// ReasonRelayNotAllowed: giaddr is none of the relay agents that are listened to.
	ReasonRelayNotAllowed boot.Reason = "RelayNotAllowed"
	// ReasonPXEPortNotServed: it came in at port 4011 on an interface that is in no proxy mode.
	ReasonPXEPortNotServed boot.Reason = "PXEPortNotServed"
	// ReasonAddressElsewhere: it is about an address, and in a proxy mode another server gives those.
	ReasonAddressElsewhere boot.Reason = "AddressElsewhere"
	// ReasonWrongSubnet: the client is on a network where its reserved address cannot work.
	ReasonWrongSubnet boot.Reason = "WrongSubnet"
	// ReasonWrongAddress: the address it asks for, gives up or declines is not the one reserved for it.
	ReasonWrongAddress boot.Reason = "WrongAddress"
	// ReasonDeclined: the client found its reserved address in use by somebody else.
	ReasonDeclined boot.Reason = "Declined"
	// ReasonReleased: the client gave its address up; a reservation stays.
	ReasonReleased boot.Reason = "Released"
	// ReasonNoClientAddress: a DHCPINFORM, or a request at port 4011, that does not say where to answer.
	ReasonNoClientAddress boot.Reason = "NoClientAddress"
	// ReasonNoServerIdentifier: this server does not know an address of its own to answer with.
	ReasonNoServerIdentifier boot.Reason = "NoServerIdentifier"
	// ReasonReplyTooLarge: what must be said does not fit in what the client accepts.
	ReasonReplyTooLarge boot.Reason = "ReplyTooLarge"
)
